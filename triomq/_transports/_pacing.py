"""TCP to a peer on the same machine: nothing is held back from it."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Final

from ._nearness import has_near_peer

_CONGESTION: Final[int | None] = getattr(socket, "TCP_CONGESTION", None)  # on Linux and FreeBSD
_PACING: Final = frozenset({b"bbr", b"bbr2", b"bbr3"})
_PLAIN: Final = b"reno"  # every Linux has it, and lets everybody use it
_LONGEST_NAME: Final = 16  # bytes: Linux's TCP_CA_NAME_MAX


def unpace(sock: socket.socket) -> None:
    """Take a congestion control that does not pace, if the peer is on this machine and the system's own does pace.

    BBR, which servers use for distant peers, holds back a part of what is sent. That part is sent by the processor
    that takes the next acknowledgement, while the sender's own processor sends more. So segments overtake each other,
    and TCP takes some for lost and sends them twice. Between two processes of one machine, messages of 1 MB took 1.6
    times as long with BBR, and the time varied.

    Args:
      sock: connected. If it has been disconnected since, nothing is changed.
    """
    if _CONGESTION is None:
        return
    with suppress(OSError):  # the peer has left; or this system knows the option, and has no choice to offer
        if (
            has_near_peer(sock)
            and sock.getsockopt(socket.IPPROTO_TCP, _CONGESTION, _LONGEST_NAME).rstrip(b"\0") in _PACING
        ):
            sock.setsockopt(socket.IPPROTO_TCP, _CONGESTION, _PLAIN)
