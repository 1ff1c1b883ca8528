"""From bytes to frames, however the bytes are cut.

Theory of operation. Input lies in one `bytes` buffer with an offset into it. A frame whose body is
not complete leaves the buffer: its bytes are collected in a list of pieces, and joined once, when
the last one has come. So a body is copied once, in however many pieces it arrives; no memory is
taken for what a header only claims; and what stays in the buffer is less than a header.
Small pieces are put together: otherwise a peer that sends two bytes at a time would make us keep
an object of forty bytes for every two.

Two attributes say where a reader stands: `has_input` whether there is input that was not parsed, and ``missing``
how much of the frame that is being collected has not come. When `take_frame` has returned None, these
combinations exist:

    has_input  missing
    no         0        the next byte of the peer begins a frame
    yes        0        less than a header
    no         > 0      the pieces hold the first part of a body

The fourth, input behind the first part of a body, exists only between `feed` and `take_frame`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .._errors import RemoteProtocolError
from ._frames import COMMAND, LONG, MORE

_SMALL: Final = 4096  # bytes: a piece below this is copied behind the one before it, instead of being kept
_RESERVED: Final = 0xFF & ~(MORE | LONG | COMMAND)


class FrameReader:
    """Cuts one connection's input into frames.

    Attributes:
      buffer, offset: the input that was not parsed is ``buffer[offset:]``. The fast loop reads there and
        moves ``offset`` on, but only while ``missing`` is 0.
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
        """Add input behind the input that was not parsed.

        That copies both, so parse what can be parsed first.
        """
        if data:
            self.before += self.offset
            self.buffer = self.buffer[self.offset :] + data if self.offset < len(self.buffer) else data
            self.offset = 0

    def take_frame(self, admit: Callable[[int, int], str | None]) -> tuple[int, bytes, int] | None:
        """Take the next frame.

        Args:
          admit: called once for each frame, with its flags and the size of its body, when the header has
            come. It returns None, or why the frame is refused.
        Returns: the frame's flags (MORE and COMMAND), its body, and where in the stream the body begins;
          None if more input is needed.
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
        """Move what has come of a body from the buffer to the pieces. Returns: the frame, if its body is complete."""
        buffer, start = self.buffer, self.offset
        missing = self.missing
        size = min(missing, len(buffer) - start)
        self.missing = missing - size
        self.offset = start + size
        pieces = self._pieces
        # A view is not a copy, but keeps the whole buffer alive: below, a small one is copied after all.
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
        """Free the part of the buffer that was parsed."""
        if self.offset:
            self.before += self.offset
            self.buffer = self.buffer[self.offset :]
            self.offset = 0
