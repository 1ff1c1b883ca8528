"""Just enough of ZMTP 3.0 to be a client: the greeting, READY of the NULL mechanism, and short frames."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

_GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
_GREETING_WITH_HEARTBEATS = _GREETING[:11] + b"\x01" + _GREETING[12:]
PING = b"\x04\x09\x04PING\x00\x00it"
PONG = b"\x04\x07\x04PONGit"
_COMMAND = b"\x04"
_WAIT = 20.0


def frame(body: bytes) -> bytes:
    """A message of one frame, on the wire."""
    assert len(body) < 256
    return b"\x00" + bytes([len(body)]) + body


def complete(octets: bytes | bytearray) -> tuple[int, int]:
    """How many whole frames these octets begin with, and how many octets those are."""
    number = at = 0
    while at + 1 < len(octets) and (end := at + 2 + octets[at + 1]) <= len(octets):
        number, at = number + 1, end
    return number, at


def _ready(socket_type: bytes) -> bytes:
    body = b"\x05READY" + b"\x0bSocket-Type" + len(socket_type).to_bytes(4, "big") + socket_type
    return _COMMAND + bytes([len(body)]) + body


def begin(endpoint: str, socket_type: bytes = b"DEALER", *, heartbeats: bool = False) -> socket.socket:
    """Connect, and send all that a handshake needs from us: of ZMTP 3.1, if heartbeats are to be sent."""
    address = urlsplit(endpoint)
    assert address.hostname is not None
    connection = socket.create_connection((address.hostname, address.port or 0), timeout=_WAIT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall((_GREETING_WITH_HEARTBEATS if heartbeats else _GREETING) + _ready(socket_type))
    return connection


def finish(connection: socket.socket) -> socket.socket:
    """Wait until the other side has done its part of the handshake: it is READY.

    Raises:
      ConnectionError: it has not.
    """
    exactly(connection, len(_GREETING))
    flags, size = exactly(connection, 2)
    command = exactly(connection, size)
    if flags != _COMMAND[0] or not command.startswith(b"\x05READY"):
        raise ConnectionError(f"{command[:20]!r} came, not READY")
    return connection


def dial(endpoint: str, socket_type: bytes = b"DEALER") -> socket.socket:
    """A connection that is ready for messages."""
    return finish(begin(endpoint, socket_type))


def exactly(connection: socket.socket, size: int) -> bytes:
    """So many octets."""
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError("the other side hung up in the handshake")
        data += more
    return data
