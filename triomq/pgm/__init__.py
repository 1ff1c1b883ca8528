"""PGM, sans I/O: reliable multicast as libzmq speaks it, datagrams in and messages out (RFC 3208)."""

from ._packets import Data, Nak, Packet, Spm, SpmRequest, Tsi, decode, encode
from ._receive_window import Store
from ._receiver import Receiver
from ._sender import Sender
from ._settings import Outgoing, Settings
from ._source import Source

__all__ = [
    "Data",
    "Nak",
    "Outgoing",
    "Packet",
    "Receiver",
    "Sender",
    "Settings",
    "Source",
    "Spm",
    "SpmRequest",
    "Store",
    "Tsi",
    "decode",
    "encode",
]
