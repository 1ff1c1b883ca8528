"""The sides that are the same for all peers, so that only the other side differs.

They speak ZMTP over plain sockets, with messages that were encoded beforehand. That costs less than any library would,
so what is measured is the process at the other end, even on two cores.
"""
