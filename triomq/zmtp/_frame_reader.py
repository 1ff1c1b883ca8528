"""From bytes to frames, however the bytes are cut.

Theory of operation. Input lies in one `bytes` buffer with an offset into it. A frame whose body is
not all there yet leaves the buffer: its bytes are collected in a list of pieces, joined once when
the last has come. So a body is copied once no matter in how many pieces it arrives, nothing is ever
allocated for what a header merely claims, and what stays behind in the buffer is less than a header.
Pieces below `_SMALL` are run together, or a peer that sends two bytes at a time would make us keep
forty for them.

Two things say where a reader stands: is there input that was not parsed (`has_input`), and how much is
``missing`` of the frame that is being collected. After `take_frame` returned None these combinations exist:

    has_input  missing
    no         0        the next byte of the peer begins a frame
    yes        0        less than a header
    no         > 0      a part of a body; the pieces hold it

Input behind a part of a body exists only between `feed` and `take_frame`.
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
        reads there and moves ``offset`` on, but only while ``missing`` is 0.
      before: bytes of the stream that came before ``buffer[0]``.
      missing: bytes that the frame being collected has not got; 0 if none is being collected.
    """

    __slots__ = ("_flags", "_pieces", "_start", "before", "buffer", "missing", "offset")

    def __init__(self) -> None:
        self.buffer = b""
        self.offset = 0
        self.missing = 0
        self.before = 0
        self._pieces: list[bytes | bytearray | memoryview] = []
        self._flags = 0
        self._start = 0

    @property
    def position(self) -> int:
        """Where in the peer's stream the next byte to parse stands."""
        return self.before + self.offset

    @property
    def has_input(self) -> bool:
        """There is input that was not parsed."""
        return self.offset < len(self.buffer)

    def feed(self, data: bytes) -> None:
        """Add input behind what there is.

        What is unparsed is copied to stand before it; so parse first.
        """
        if data:
            self.before += self.offset
            self.buffer = self.buffer[self.offset :] + data if self.offset < len(self.buffer) else data
            self.offset = 0

    def take_frame(self, admit: Callable[[int, int], str | None]) -> tuple[int, bytes, int] | None:
        """The next frame, or None when more input is needed.

        Returns: its flags (MORE and COMMAND), its body, and where in the stream the body begins.

        Args:
          admit: called with flags and body size as soon as the header is there, once for each
            frame; the frame is refused if it returns a text.
        Raises:
          RemoteProtocolError: the header is malformed, or ``admit`` refused it.
        """
        if self.missing:
            return self._collect()
        buffer, offset = self.buffer, self.offset
        if offset == len(buffer):
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
        self.missing = size
        self.offset = start
        return self._collect() if start < len(buffer) else None

    def _collect(self) -> tuple[int, bytes, int] | None:
        """Move what has come of a body from the buffer to the pieces; the frame, if that is all of it."""
        buffer, start = self.buffer, self.offset
        missing = self.missing
        size = min(missing, len(buffer) - start)
        self.missing = missing - size
        self.offset = start + size
        pieces = self._pieces
        # A view spares a copy of much, but holds on to the whole buffer: not for a little.
        piece = buffer if size == len(buffer) else memoryview(buffer)[start : start + size]
        if size == missing:
            self._pieces = []
            pieces.append(piece)
            return self._flags, b"".join(pieces), self._start
        if size >= _SMALL:
            pieces.append(piece)
        elif pieces and type(pieces[-1]) is bytearray:
            pieces[-1] += piece
        elif size:
            pieces.append(bytearray(piece))
        return None

    def release(self) -> None:
        """Hold no more memory than the unparsed bytes need."""
        if self.offset:
            self.before += self.offset
            self.buffer = self.buffer[self.offset :]
            self.offset = 0
