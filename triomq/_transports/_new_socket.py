"""Sockets of the system that no forked child keeps, whatever the other threads do when it is forked."""

from __future__ import annotations

import socket
from typing import Any

from .._forks import NO_FORK, let_go_when_forked


def new_socket(family: int, kind: int, protocol: int = 0) -> socket.socket:
    """Make a socket."""
    with NO_FORK:
        sock = socket.socket(family, kind, protocol)
        let_go_when_forked(sock, socket.socket.close)
    return sock


def accept(listening: socket.socket) -> tuple[socket.socket, Any]:
    """Accept a connection, as the method of the same name.

    Raises:
      OSError: as that raises. BlockingIOError: nobody is there yet; the socket must not block.
    """
    with NO_FORK:
        sock, address = listening.accept()
        let_go_when_forked(sock, socket.socket.close)
    return sock, address
