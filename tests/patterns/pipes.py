"""Pipes of peers that nobody has connected, and what they tell their owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from triomq import zmtp
from triomq._pipes import Pipe, StreamPipe

PEER = zmtp.PeerInfo(socket_type="DEALER", routing_id=b"", metadata={}, version=(3, 1), mechanism="NULL")


def ignore(pipe: Pipe) -> None:
    """Nobody wants to know."""


class Owner:
    """A socket without a pattern: it passes on what its pipes tell it.

    Args:
      readable, writable: called when the pipe has a message again, or room again.
    """

    _interprets = False

    def __init__(self, *, readable: Callable[[Pipe], None] = ignore, writable: Callable[[Pipe], None] = ignore) -> None:
        self._pipe_readable = readable
        self._pipe_writable = writable
        self._pipe_drained = ignore

    def _interpret(self, pipe: Pipe, events: list[Any]) -> list[Any]:
        return events

    def pipe(self, *, send_hwm: float = 1000, receive_hwm: float = 1000, conflate: bool = False) -> StreamPipe:
        """One whose peer is there, and reads nothing."""
        pipe = StreamPipe(self, "tcp://far", send_hwm, receive_hwm, conflate=conflate)
        pipe.peer = PEER
        return pipe


def written(pipe: StreamPipe, count: int) -> list[Any]:
    """Write so many of the messages that wait."""
    messages, _ = pipe.take(count)
    pipe.count_sent(messages)
    pipe.room_made()
    return messages
