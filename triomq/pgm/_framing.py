"""Messages in the stream of a sender, and the stream in datagrams, as libzmq cuts it.

The stream is that of ZMTP 1.0 without a greeting: ``length flags body``, the length counting the flags; from 255 on,
the length is 0xFF and 8 octets more. The lowest bit of the flags says that the message goes on.

Each datagram has a slice of the stream, and before it, in two octets, where in the slice the first message begins, or
0xFFFF if none does. Whoever comes late, or has lost something, skips to there. So nobody ever takes the end of one
message and the beginning of another for one.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import Final

from .._errors import RemoteProtocolError
from .._message import Frames, Message
from ._packets import NO_MESSAGE

_MORE: Final = 1
_LONG: Final = 0xFF
_LONG_HEADER: Final = struct.Struct(">BQB")
_LARGEST: Final = 1 << 63


class StreamEncoder:
    """Cuts messages into datagrams.

    Attributes:
      waiting: octets of the stream that no datagram has taken.
      finished: messages that datagrams have taken wholly.
    """

    def __init__(self) -> None:
        self.waiting: int = 0
        self.finished: int = 0
        self._pieces: deque[bytes] = deque()
        self._begun = 0  # octets of the first piece that were taken
        self._position = 0  # in the stream, of the first octet that waits
        self._starts: deque[int] = deque()  # of messages, in the stream
        self._ends: deque[int] = deque()

    def put(self, frames: Frames) -> None:
        """Append a message to the stream."""
        start = self._position + self.waiting
        self._starts.append(start)
        last = len(frames) - 1
        for index, frame in enumerate(frames):
            size = len(frame) + 1
            flags = _MORE if index < last else 0
            header = bytes((size, flags)) if size < _LONG else _LONG_HEADER.pack(_LONG, size, flags)
            self._pieces.append(header)
            if frame:
                self._pieces.append(frame)
            self.waiting += len(header) + len(frame)
        self._ends.append(self._position + self.waiting)

    def take(self, most: int) -> bytes:
        """The data of the next datagram: an offset, and up to ``most`` - 2 octets of what waits."""
        end = self._position + min(most - 2, self.waiting)
        starts = self._starts
        offset = starts[0] - self._position if starts and starts[0] < end else NO_MESSAGE
        slices = [offset.to_bytes(2), *self._slices(end - self._position)]
        self.waiting -= end - self._position
        self._position = end
        while starts and starts[0] < end:
            starts.popleft()
        while self._ends and self._ends[0] <= end:
            self._ends.popleft()
            self.finished += 1
        return b"".join(slices)

    def _slices(self, size: int) -> list[bytes]:
        pieces, taken = self._pieces, []
        while size:
            piece = pieces[0]
            rest = len(piece) - self._begun
            if rest <= size:
                taken.append(piece[self._begun :] if self._begun else piece)
                pieces.popleft()
                self._begun = 0
                size -= rest
            else:
                taken.append(piece[self._begun : self._begun + size])
                self._begun += size
                size = 0
        return taken


class StreamDecoder:
    """Puts messages together again.

    Args:
      max_message_size: octets in all frames of a message; a larger one is skipped and counted.
      max_frames: of a message; likewise.

    Attributes:
      joined: the decoder stands in the stream; else it waits for a message to begin.
      skipped: messages that were too large.
    """

    def __init__(self, max_message_size: float, max_frames: float) -> None:
        self.joined: bool = False
        self.skipped: int = 0
        self._max_size = max_message_size
        self._max_frames = max_frames
        self._buffer = bytearray()
        self._wanted = 0  # octets the buffer must have before it is worth to look at it again
        self._frames: list[bytes] = []
        self._size = 0
        self._is_skipped = False  # the message that has begun is too large
        self._passing = 0  # octets of its frame that are still to come

    def leave(self) -> None:
        """Forget a message that has begun, and wait for the next to begin."""
        self.joined = False
        self._buffer.clear()
        self._restart()

    def _restart(self) -> None:
        self._wanted = self._passing = self._size = 0
        self._is_skipped = False
        self._frames = []

    def feed(self, payload: bytes) -> list[Message]:
        """Take in the data of the datagram that follows the one before.

        Returns: the messages that end in it.
        Raises:
          RemoteProtocolError: this is no such stream. The decoder waits for the next message that a datagram names.
        """
        if self.joined:
            self._buffer += memoryview(payload)[2:]
        else:
            offset = payload[0] << 8 | payload[1]
            if offset == NO_MESSAGE:
                return []
            self.joined = True
            self._buffer += memoryview(payload)[2 + offset :]
        if len(self._buffer) < self._wanted:
            return []
        return self._parse()

    def _parse(self) -> list[Message]:
        buffer, at, done = self._buffer, 0, []
        available = len(buffer)
        while True:
            passed = min(self._passing, available - at)
            at += passed
            self._passing -= passed
            self._wanted = 2
            if available - at < 2:
                break
            header, size = 2, buffer[at]
            if size == _LONG:
                header = self._wanted = _LONG_HEADER.size
                if available - at < header:
                    break
                size = int.from_bytes(buffer[at + 1 : at + 9])
            if not 0 < size < _LARGEST:
                self.leave()
                raise RemoteProtocolError(f"a frame of length {size}, which counts its flags, is none")
            more = bool(buffer[at + header - 1] & _MORE)
            if self._is_to_be_passed(size - 1):
                self._pass(size - 1, more)
                at += header
                continue
            end = at + header + size - 1
            if end > available:
                self._wanted = end - at
                break
            self._frames.append(bytes(buffer[at + header : end]))
            self._size += size - 1
            if not more:
                done.append(Message(self._frames))
                self._restart()
            at = end
        del buffer[:at]
        return done

    def _is_to_be_passed(self, size: int) -> bool:
        """Whether a frame belongs to a message that is too large, or makes it so."""
        return self._is_skipped or self._size + size > self._max_size or len(self._frames) >= self._max_frames

    def _pass(self, size: int, more: bool) -> None:
        """Go past a frame, and past those that follow it in its message."""
        if not self._is_skipped:
            self.skipped += 1
        self._restart()
        self._is_skipped = more
        self._passing = size
