"""The connection, as its parts know it: what they tell it, and ask of it.

Each part keeps one object, and not a function for each of these: a connection that is idle takes memory, too.
"""

from __future__ import annotations

from typing import Protocol


class ReaderHost(Protocol):
    """The connection, as its reader knows it."""

    def hang_up(self, error: Exception) -> None:
        """End the connection because of what the peer did, and tell the peer."""

    def leave(self, error: Exception) -> None:
        """End the connection in good order; ``error`` is why."""


class WriterHost(Protocol):
    """The connection, as its writer knows it."""

    def ping_sent(self) -> None:
        """A PING was handed over whole."""

    def still_stands(self) -> bool:
        """Look at the stream. Returns: False if the peer has ended it: nothing is to be written."""

    def write_failed(self, error: Exception) -> None:
        """The connection cannot be written to any more, and ``error`` says why; called once at the most."""


class HeartbeatsHost(Protocol):
    """The connection, as its heartbeats know it."""

    def look(self) -> bool:
        """Read the stream once, without waiting. Returns: whether anything was there, if only its end."""

    def start_heartbeats(self) -> None:
        """Start a task with `Heartbeats.run`; called once, when there is something to watch."""

    def heartbeat_answered(self, seconds: float) -> None:
        """A PING was answered by its PONG after ``seconds`` seconds."""

    def kept_waiting(self, waits: bool) -> None:
        """The peer says that this side has to wait for its place, or has the place now."""
