"""From octets to frames, however the octets are cut.

Theory of operation. Input lies in one `bytes` buffer with an offset into it. A frame whose body is
not all there yet leaves the buffer: its octets are collected in a list of pieces, joined once when
the last has come. So a body is copied once no matter in how many pieces it arrives, nothing is ever
allocated for what a header merely claims, and what stays behind in the buffer is less than a header.
Pieces below `_SMALL` are run together, or a peer that sends two octets at a time would make us keep
forty for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .._errors import RemoteProtocolError
from ._frames import COMMAND, LONG, MORE

_SMALL: Final = 4096
_RESERVED: Final = 0xFF & ~(MORE | LONG | COMMAND)


class FrameReader:
    """Cuts one connection's input into frames.

    Attributes:
      buffer, offset: what has arrived and is not yet parsed is ``buffer[offset:]``. The fast loop
        reads there and moves ``offset`` on, but only while `missing` is 0.
      before: octets of the stream that came before ``buffer[0]``.
      missing: octets still to come of the frame being collected, 0 when there is none.
    """

    __slots__ = ("_flags", "_pieces", "_ready", "_start", "before", "buffer", "missing", "offset")

    def __init__(self) -> None:
        self.buffer = b""
        self.offset = 0
        self.missing = 0
        self.before = 0
        self._pieces: list[bytes | bytearray | memoryview] = []
        self._flags = 0
        self._start = 0
        self._ready: tuple[int, bytes, int] | None = None

    @property
    def position(self) -> int:
        """Where in the peer's stream the next octet to parse stands."""
        return self.before + self.offset

    @property
    def collects(self) -> bool:
        """A frame is being collected, or was and waits for `take_frame`: the buffer is not to be read before."""
        return self.missing > 0 or self._ready is not None

    @property
    def unfinished(self) -> bool:
        """There is input that was not parsed."""
        return self._ready is not None or self.offset < len(self.buffer)

    @property
    def is_empty(self) -> bool:
        """There is no input that was not parsed, and no part of a frame."""
        return self.offset == len(self.buffer) and not self.missing and self._ready is None

    def start(self, data: bytes, offset: int) -> None:
        """Begin anew with input of which the first octets are parsed already; only where `is_empty`."""
        self.before += self.offset
        self.buffer = data
        self.offset = offset

    def feed(self, data: bytes) -> None:
        """Add input behind what there is.

        What is unparsed is copied to stand before it; so parse what is whole first.
        """
        if not data:
            return
        if not self.missing:
            rest = self.buffer[self.offset :]
            self.before += self.offset
            self.buffer = rest + data if rest else data
            self.offset = 0
            return
        self.before += len(self.buffer)
        if len(data) < self.missing:
            self.missing -= len(data)
            self.buffer = b""
            self.offset = 0
            self.before += len(data)
            self._collect(data)
            return
        self.buffer = data
        self.offset = self.missing
        if self.missing == len(data):
            self._pieces.append(data)
        else:
            self._pieces.append(memoryview(data)[: self.missing])
        self.missing = 0
        self._ready = self._flags, b"".join(self._pieces), self._start
        self._pieces = []

    def _collect(self, data: bytes | memoryview) -> None:
        pieces = self._pieces
        if len(data) >= _SMALL:
            pieces.append(data)
        elif pieces and type(pieces[-1]) is bytearray:
            pieces[-1] += data
        else:
            pieces.append(bytearray(data))

    def take_frame(self, admit: Callable[[int, int], str | None]) -> tuple[int, bytes, int] | None:
        """The next frame, or None when more input is needed.

        Returns: its flags (MORE and COMMAND), its body, and where in the stream the body begins.

        Args:
          admit: called with flags and body size as soon as the header is there, once for each
            frame; the frame is refused if it returns a text.
        Raises:
          RemoteProtocolError: the header is malformed, or ``admit`` refused it.
        """
        if self._ready is not None:
            frame, self._ready = self._ready, None
            return frame
        buffer, offset = self.buffer, self.offset
        if self.missing or offset == len(buffer):
            return None
        flags = buffer[offset]
        if flags & _RESERVED:
            raise RemoteProtocolError(f"reserved bits in frame flags {flags:#04x}", self.position)
        if flags & COMMAND and flags & MORE:
            raise RemoteProtocolError("a command with the MORE flag", self.position)
        start = offset + (9 if flags & LONG else 2)
        if start > len(buffer):
            return None
        size = int.from_bytes(buffer[offset + 1 : start], "big")
        if size >> 63:
            raise RemoteProtocolError(f"a frame size of {size:#x}: the highest bit must be 0", self.position + 1)
        refusal = admit(flags & (MORE | COMMAND), size)
        if refusal is not None:
            raise RemoteProtocolError(refusal, self.position)
        stop = start + size
        if stop <= len(buffer):
            frame = flags & (MORE | COMMAND), buffer[start:stop], self.before + start
            self.offset = stop
            return frame
        self._flags, self._start = flags & (MORE | COMMAND), self.before + start
        self.missing = stop - len(buffer)
        self.offset = len(buffer)
        if start < len(buffer):
            # A view spares a copy of much, but holds on to the whole buffer: not for a little.
            self._collect(memoryview(buffer)[start:])
        return None

    def release(self) -> None:
        """Hold no more memory than the unparsed octets need."""
        if self.offset:
            self.before += self.offset
            self.buffer = self.buffer[self.offset :]
            self.offset = 0
