"""Whether a peer runs on this machine."""

from __future__ import annotations

import socket
from typing import Final

_INTERNET: Final = frozenset({socket.AF_INET, socket.AF_INET6})


def has_near_peer(sock: socket.socket) -> bool:
    """Tell whether the peer of a socket is on this machine. Returns: False, too, if there is no peer (any more)."""
    try:
        own, peer = sock.getsockname(), sock.getpeername()
    except OSError:
        return False
    return sock.family not in _INTERNET or near(own[0], peer[0])


def near(own: str, peer: str) -> bool:
    """Tell by the IP addresses of both ends of a connection whether they are on one machine."""
    return own == peer or own.removeprefix("::ffff:").startswith("127.")
