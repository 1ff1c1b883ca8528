"""Inboxes of a context whose waiting bytes are bounded.

Theory of operation

A queue counts the bytes of its messages as they come and go, for all queues of the context together. While there are
too many, an inbox is full for its source, whatever its HWM. But an empty one never is: so each peer can bring one
message, and a program that waits for a certain socket gets its messages, however much waits at others.

The counting costs each message two calls of Python. So only a context with such a bound has these inboxes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from .._message import Frames
from ._inbox import Inbox


class Meter(Protocol):
    """What the queues of a context count together.

    Attributes:
      bytes_waiting: how many wait.
      max_queued_bytes: how many may.
    """

    bytes_waiting: int
    max_queued_bytes: float


def size_of(message: Frames) -> int:
    """The bytes of all frames."""
    return sum(map(len, tuple.__iter__(message)))


class MeteredQueue(deque[Frames]):
    """A queue of messages that counts its bytes."""

    __slots__ = ("_meter", "_size")

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self._meter = meter
        self._size = 0

    def _count(self, size: int) -> None:
        self._size += size
        self._meter.bytes_waiting += size

    def append(self, message: Frames) -> None:
        """See `deque`."""
        super().append(message)
        self._count(size_of(message))

    def extend(self, messages: Iterable[Frames]) -> None:
        """See `deque`."""
        messages = list(messages)
        super().extend(messages)
        self._count(sum(map(size_of, messages)))

    def popleft(self) -> Frames:
        """See `deque`."""
        message = super().popleft()
        self._count(-size_of(message))
        return message

    def clear(self) -> None:
        """See `deque`."""
        super().clear()
        self._count(-self._size)

    def __del__(self) -> None:
        """Nobody will receive what is still here: its socket was closed."""
        self._meter.bytes_waiting -= self._size


class MeteredInbox(Inbox):
    """An inbox that is full when the whole context is, unless it is empty.

    Args:
      limit: messages, as for `Inbox`.
      meter: of the context.
    """

    __slots__ = ("_meter",)

    def __init__(self, limit: float, meter: Meter) -> None:
        super().__init__(limit)
        self._meter = meter
        self.queue = MeteredQueue(meter)

    @property
    def is_full(self) -> bool:
        """See `Inbox`."""
        waiting = len(self.queue)
        return waiting >= self.limit or (waiting > 0 and self._meter.bytes_waiting >= self._meter.max_queued_bytes)

    def taken(self) -> None:
        """See `Inbox`: half of the bytes must have gone, too, or all that waited here."""
        if not self.source_waits:
            return
        waiting, meter = len(self.queue), self._meter
        if not waiting or (meter.bytes_waiting <= meter.max_queued_bytes / 2 and not waiting > self.resume_below):
            self.source_waits = False
            self.source.resume()
