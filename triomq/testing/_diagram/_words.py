"""What octets on the wire say, in the words of ZMTP, however they are cut.

One `Words` reads one direction of a connection. From where the octets are not ZMTP, they are only counted. A diagram is
most wanted when something is wrong, so nothing that a peer sends is an error here.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import attrs

from ..._errors import RemoteProtocolError
from ...zmtp import parse_properties
from ...zmtp._commands import Command, parse_command, parse_error_reason
from ...zmtp._frame_reader import FrameReader
from ...zmtp._frames import COMMAND, MORE
from ...zmtp._greeting import GREETING_SIZE

UnitKind: TypeAlias = Literal["greeting", "handshake", "command", "message", "octets"]

_SHOWN: Final = 20  # characters of a frame
_SHOWN_FRAMES: Final = 3  # of a message
_HANDSHAKE: Final = {b"HELLO", b"WELCOME", b"INITIATE", b"READY", b"ERROR"}
_OPEN: Final = {"NULL", "PLAIN"}  # the mechanisms that leave messages readable


@attrs.frozen
class Unit:
    """One thing that was said: a greeting, a command, a message, or octets of no known meaning.

    Attributes:
      start, stop: where in the direction's stream its octets stand.
      label: what a diagram says of it.
    """

    start: int
    stop: int
    kind: UnitKind
    label: str


def show_bytes(data: bytes) -> str:
    """Octets as a literal with double quotes, shortened."""
    text = "".join(map(_show_octet, data[: _SHOWN + 1]))
    if len(text) <= _SHOWN and len(data) <= _SHOWN:
        return f'b"{text}"'
    text = ""
    for octet in data:
        if len(text) + len(_show_octet(octet)) >= _SHOWN:
            break
        text += _show_octet(octet)
    return f'b"{text}…"'


def _show_octet(octet: int) -> str:
    return '\\"' if octet == 0x22 else "'" if octet == 0x27 else repr(bytes((octet,)))[2:-1]


def count(number: int, what: str) -> str:
    """A number of things: ``1 octet``, ``2,000 octets``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


class Words:
    """Reads one direction of a connection.

    Attributes:
      read: octets that were fed.
      done: the offset where the unit begins that is not complete yet.
    """

    def __init__(self, *, whole: bool = True) -> None:
        """Make a reader; ``whole`` says that it is fed from the first octet on."""
        self.read: int = 0
        self.done: int = 0
        self._greeting: bytearray | None = bytearray() if whole else None
        self._mechanism = ""
        self._frames: FrameReader | None = None
        self._message: list[bytes] = []

    def feed(self, data: bytes) -> list[Unit]:
        """Read on. Returns: what is complete with these octets."""
        self.read += len(data)
        units: list[Unit] = []
        if self._greeting is not None:
            data = self._read_greeting(self._greeting, data, units)
        if self._frames is not None and data:
            try:
                self._read_frames(self._frames, data, units)
            except RemoteProtocolError as exc:
                self._frames = None
                units.append(self._unit(self.read, "octets", f"not ZMTP: {exc.args[0]}"))
        if self._frames is None and self._greeting is None and self.read > self.done:
            units.append(self._unit(self.read, "octets", count(self.read - self.done, "octet")))
        return units

    def _unit(self, stop: int, kind: UnitKind, label: str) -> Unit:
        unit = Unit(self.done, stop, kind, label)
        self.done = stop
        return unit

    def _read_greeting(self, greeting: bytearray, data: bytes, units: list[Unit]) -> bytes:
        """Returns: the octets behind the greeting."""
        missing = GREETING_SIZE - len(greeting)
        greeting += data[:missing]
        if (greeting and greeting[0] != 0xFF) or (len(greeting) > 10 and (not greeting[9] & 1 or greeting[10] < 3)):
            units.append(self._unit(self.read, "octets", f"not ZMTP 3: {show_bytes(bytes(greeting) + data[missing:])}"))
            self._greeting = None
        elif len(greeting) == GREETING_SIZE:
            self._mechanism = bytes(greeting[12:32]).rstrip(b"\0").decode("latin-1")
            units.append(self._unit(GREETING_SIZE, "greeting", "greeting" + self._unless_null()))
            self._greeting = None
            self._frames = FrameReader()
            self._frames.feed(bytes(greeting))
            self._frames.offset = GREETING_SIZE  # it counts from the stream's first octet
        return data[missing:]

    def _unless_null(self) -> str:
        return "" if self._mechanism == "NULL" else " " + ascii(self._mechanism)[1:-1]

    def _read_frames(self, reader: FrameReader, data: bytes, units: list[Unit]) -> None:
        reader.feed(data)
        while (frame := reader.take_frame(lambda flags, size: None)) is not None:
            flags, body, start = frame
            stop = start + len(body)
            if flags & COMMAND:
                command = parse_command(body, start)
                kind: UnitKind = "handshake" if command.name in _HANDSHAKE else "command"
                units.append(self._unit(stop, kind, self._command(command)))
            else:
                self._message.append(body)
                if not flags & MORE:
                    units.append(self._unit(stop, "message", self._show_message()))
                    self._message = []

    def _show_message(self) -> str:
        frames = self._message
        if self._mechanism not in _OPEN:
            return f"[{count(sum(map(len, frames)), 'octet')}]"
        shown = [show_bytes(frame) for frame in frames[:_SHOWN_FRAMES]]
        if len(frames) > _SHOWN_FRAMES:
            shown.append(f"… {len(frames)} frames")
        return f"[{', '.join(shown)}]"

    def _command(self, command: Command) -> str:
        name = ascii(command.name.decode("latin-1"))[1:-1]
        data = command.data
        if name == "ERROR":
            return f'ERROR "{parse_error_reason(data)}"'
        if name in ("SUBSCRIBE", "CANCEL"):
            return f"{name} {show_bytes(data)}"
        if name in ("READY", "INITIATE") and self._mechanism in _OPEN:
            return name + _ready(data)
        if name in ("PING", "PONG", "HELLO", "WELCOME", "READY", "INITIATE"):
            return name
        return f"{name} {count(len(data), 'octet')}"


def _ready(data: bytes) -> str:
    properties = parse_properties(data, 0)
    words = ["", ascii(properties.get("Socket-Type", b"?").decode("latin-1"))[1:-1]]
    if identity := properties.get("Identity", b""):
        words.append(show_bytes(identity))
    return " ".join(words)
