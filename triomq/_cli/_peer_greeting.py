"""The first bytes of a peer, read without judging them: what a probe can say of a peer that it cannot talk to."""

from __future__ import annotations

import attrs

from ..zmtp import Properties, parse_properties
from ._quoting import quote

_GREETING = 64
_COMMAND, _LONG = 4, 2


@attrs.frozen(kw_only=True)
class Greeting:
    """A greeting of ZMTP 3 (RFC 37 §2.2).

    Attributes:
      version: the one that the peer speaks itself.
      as_server: the peer says that it is the server of its mechanism.
    """

    version: tuple[int, int]
    mechanism: str
    as_server: bool


def read_greeting(data: bytes) -> Greeting | None:
    """What the bytes say; None if there are too few.

    Raises:
      ValueError: this is no greeting of ZMTP 3; the text says what came instead.
    """
    if (data and data[0] != 0xFF) or (len(data) > 9 and not data[9] & 1):
        raise ValueError(f"it does not speak ZMTP 3: it said {show(data)}")
    if len(data) > 10 and data[10] < 3:
        version = "2.0 (libzmq 3)" if data[10] else "1.0 (libzmq 2)"
        raise ValueError(f"it speaks ZMTP {version}; 3.0 is the oldest spoken here")
    if len(data) < _GREETING:
        return None
    mechanism = quote(data[12:32].rstrip(b"\0")).decode()
    return Greeting(version=(data[10], data[11]), mechanism=mechanism, as_server=bool(data[32]))


def read_command(data: bytes) -> tuple[bytes, bytes] | None:
    """Name and data of the command after the greeting; None if it has not come whole (RFC 37 §2.3, §2.5).

    Raises:
      ValueError: what is there is no command.
    """
    rest = data[_GREETING:]
    if not rest:
        return None
    flags = rest[0]
    if flags & ~_LONG != _COMMAND:
        raise ValueError(f"no command came after its greeting, but {show(rest)}")
    start = 9 if flags & _LONG else 2
    if len(rest) < start:
        return None
    body = rest[start : start + int.from_bytes(rest[1:start], "big")]
    if len(rest) < start + int.from_bytes(rest[1:start], "big"):
        return None
    end = 1 + body[0] if body else 0
    return body[1:end], body[end:]


def read_ready(data: bytes) -> Properties | str | None:
    """What follows the greeting of a peer with the mechanism NULL.

    Returns: the properties of its READY; the reason of its ERROR; None if neither has come whole.
    Raises:
      ValueError: something else has come.
    """
    command = read_command(data)
    if command is None:
        return None
    name, rest = command
    if name == b"ERROR":
        return quote(rest[1:]).decode() or "it gave no reason"
    if name != b"READY":
        raise ValueError(f"the command {show(name)} came where READY is due")
    return parse_properties(rest, 0)


def show(data: bytes, most: int = 40) -> str:
    """The first bytes, as text on one line."""
    return "'" + quote(data[:most]).decode() + "'" + ("..." if len(data) > most else "")
