"""Bodies of commands: ``name-length name data`` (RFC 37 §2.3), and the metadata inside READY (§2.4)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import attrs

from .._errors import LocalProtocolError, RemoteProtocolError
from .._record import Record
from ._events import Cancel, Ping, Pong, Properties, Subscribe
from ._frames import COMMAND

# The RFC bounds none of the first three; these bounds keep what one peer can make us store small.
MAX_TOPIC: Final = 65_536
"""Bytes in the topic of a subscription."""
MAX_HANDSHAKE_COMMAND: Final = 65_536
"""Bytes in the body of a handshake command, unless the mechanism says otherwise."""
MAX_PROPERTIES: Final = 64
"""Properties in a peer's metadata."""
MAX_COMMAND: Final = 1 + len("SUBSCRIBE") + MAX_TOPIC
"""Bytes in the body of a command after the handshake: the longest SUBSCRIBE."""
MAX_PING_CONTEXT: Final = 16
"""Bytes in the context of a PING (RFC 37 §2.8)."""
MAX_TTL: Final = 0xFFFF
"""Tenths of a second: the longest TTL that a PING can tell."""


@attrs.frozen(eq=False, repr=False)
class Command(Record):
    """A received command.

    Attributes:
      offset: where ``data`` begins in the peer's stream, for the text of errors.
    """

    name: bytes
    data: bytes
    offset: int


def parse_command(body: bytes, offset: int) -> Command:
    """Split a command body that begins at ``offset`` of the stream.

    Raises:
      RemoteProtocolError: the body is empty, has no name, or its name runs over its end.
    """
    if not body:
        raise RemoteProtocolError("a command of no octets", offset)
    end = 1 + body[0]
    if end == 1:
        raise RemoteProtocolError("a command without a name", offset)
    if end > len(body):
        raise RemoteProtocolError(f"a command name of {body[0]} octets in a command of {len(body)}", offset)
    return Command(body[1:end], body[end:], offset + end)


def command_body(name: bytes, data: bytes = b"") -> bytes:
    """The body of a command: the inverse of `parse_command`."""
    return bytes((len(name),)) + name + data


def encode_properties(properties: Mapping[str, bytes]) -> bytes:
    """Metadata as READY holds it: for each property ``name-length name value-length(4) value``."""
    data = bytearray()
    for name, value in properties.items():
        label = name.encode("latin-1")
        data += bytes((len(label),)) + label + len(value).to_bytes(4, "big") + value
    return bytes(data)


def parse_properties(data: bytes, offset: int) -> Properties:
    """The properties in metadata: the inverse of `encode_properties`. If a name comes twice, its last value counts.

    Args:
      offset: where ``data`` begins in the peer's stream.
    Raises:
      RemoteProtocolError: a name or value runs over the end, a name is empty, there are more than
        64 properties, or Socket-Type or Identity come twice.
    """
    found: dict[str, bytes] = {}
    seen: set[str] = set()
    position = count = 0
    while position < len(data):
        count += 1
        if count > MAX_PROPERTIES:
            raise RemoteProtocolError(f"more than {MAX_PROPERTIES} metadata properties", offset + position)
        start = position + 1 + data[position]
        if start == position + 1:
            raise RemoteProtocolError("a metadata property without a name", offset + position)
        name = data[position + 1 : start].decode("latin-1")
        end = start + 4 + int.from_bytes(data[start : start + 4], "big")
        if start + 4 > len(data) or end > len(data):
            raise RemoteProtocolError("a metadata property runs over the end of its command", offset + position)
        if name.lower() in seen and name.lower() in ("socket-type", "identity"):
            raise RemoteProtocolError(f"two {name.title()} properties", offset + position)
        seen.add(name.lower())
        found[name] = data[start + 4 : end]
        position = end
    return Properties(found)


_IN_PLACE: Final = b"?+"
"""What stands for something invisible, and for a space."""


def encode_error(reason: str) -> bytes:
    """An ERROR command body (RFC 37 §2.5); the reason is cut to 255 octets, the most that it can hold.

    These are visible characters, of which a space is none: a plus stands for it, as in a URL.
    """
    data = bytes(ord(one) if "!" <= one <= "~" else _IN_PLACE[one == " "] for one in reason[:255])
    return command_body(b"ERROR", bytes((len(data),)) + data)


def parse_error_reason(data: bytes) -> str:
    """The reason in an ERROR command as printable text, whatever the peer wrote, and even if cut short.

    A plus is read as a space; see `encode_error`.
    """
    return ascii(data[1 : 1 + data[0]].decode("latin-1"))[1:-1].replace("+", " ") if data[1:] else ""


def event_frame(event: object, version: tuple[int, int]) -> tuple[int, bytes]:
    """Flags and body of the frame that stands for an event, for a peer that speaks ``version``.

    Raises:
      LocalProtocolError: the event is too long, or is not one that can be sent.
    """
    if isinstance(event, (Subscribe, Cancel)):
        if len(event.topic) > MAX_TOPIC:
            raise LocalProtocolError(f"a topic of {len(event.topic)} octets; {MAX_TOPIC} are allowed")
        subscribe = isinstance(event, Subscribe)
        if version < (3, 1):
            # ZMTP 3.0 has no such commands: they are messages (RFC 23, RFC 29).
            return 0, (b"\1" if subscribe else b"\0") + event.topic
        return COMMAND, command_body(b"SUBSCRIBE" if subscribe else b"CANCEL", event.topic)
    if not isinstance(event, (Ping, Pong)):
        raise LocalProtocolError(f"{type(event).__name__} cannot be sent")
    if len(event.context) > MAX_PING_CONTEXT:
        raise LocalProtocolError(f"a context of {len(event.context)} octets; {MAX_PING_CONTEXT} are allowed")
    if isinstance(event, Pong):
        return COMMAND, command_body(b"PONG", event.context)
    if not event.ttl >= 0:
        raise LocalProtocolError(f"a TTL of {event.ttl} s")
    # Rounded up, because 0 means "no TTL". `round` comes first, because 0.3 * 10 is a little more than 3. Of a
    # very short time it leaves nothing.
    tenths = max(math.ceil(round(min(event.ttl * 10, MAX_TTL), 6)), int(event.ttl > 0))
    return COMMAND, command_body(b"PING", tenths.to_bytes(2, "big") + event.context)


def parse_ping(command: Command) -> Ping:
    """Read a PING (RFC 37 §2.8).

    Raises:
      RemoteProtocolError: the PING has no TTL, or its context is too long.
    """
    if len(command.data) < 2:
        raise RemoteProtocolError("a PING without a TTL", command.offset)
    _check_context(command, 2)
    return Ping(int.from_bytes(command.data[:2], "big") / 10, command.data[2:])


def parse_pong(command: Command) -> Pong:
    """Read a PONG.

    Raises:
      RemoteProtocolError: the context is too long.
    """
    _check_context(command, 0)
    return Pong(command.data)


def _check_context(command: Command, start: int) -> None:
    size = len(command.data) - start
    if size > MAX_PING_CONTEXT:
        name = command.name.decode("ascii")
        raise RemoteProtocolError(
            f"a {name} context of {size} octets; {MAX_PING_CONTEXT} are allowed", command.offset + start
        )


def parse_topic(command: Command) -> bytes:
    """The topic of a SUBSCRIBE or CANCEL.

    Raises:
      RemoteProtocolError: the topic is too long.
    """
    if len(command.data) > MAX_TOPIC:
        raise RemoteProtocolError(f"a topic of {len(command.data)} octets; {MAX_TOPIC} are allowed", command.offset)
    return command.data
