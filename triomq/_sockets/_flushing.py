"""What was accepted for sending and has not left yet: what `flush` waits for."""

from __future__ import annotations

from collections.abc import Iterable

from .._pipes import Pipe


class Accepted:
    """The messages that wait to be sent at the moment when this is made.

    Later messages stand behind them, and are not waited for: so others may go on sending.

    Args:
      pipes: of the socket, those included that are only emptied.
    """

    def __init__(self, pipes: Iterable[Pipe]) -> None:
        self._waiting = [(pipe, pipe.sent + queued) for pipe in pipes if (queued := pipe.messages_queued())]

    def have_left(self) -> bool:
        """Whether all have left, or were dropped; if not, the socket's watchers are woken before they have."""
        while self._waiting:
            pipe, count = self._waiting[-1]
            if pipe.alive and not pipe.has_sent(count):
                return False
            self._waiting.pop()
        return True
