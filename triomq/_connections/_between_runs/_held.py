"""What is to be conflated on its way to another trio run.

At most one batch is under way where the queues of both sides conflate. What is sent meanwhile waits here, and makes way
for what is newer. So a receiver that is busy does not let messages gather which it will never see.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..._pipes import Conflate, Outbox
from ...zmtp import Item


class Held:
    """Messages and subscriptions that wait until the batch before them has been taken in.

    Args:
      topics: that may wait, where ``conflate`` is ``"topics"``.
      conflate: what is kept.

    Attributes:
      under_way: a batch is.
      dropped: messages that made way for newer ones, since the last `take`. The receiver counts them.
    """

    def __init__(self, topics: float, conflate: Conflate) -> None:
        self.under_way: bool = False
        self.dropped: int = 0
        self._outbox = Outbox(topics, conflate=conflate)

    def add(self, items: Sequence[Item]) -> None:
        """Hold these behind, or in place of, what is held."""
        for item in items:
            if isinstance(item, tuple):
                self.dropped += self._outbox.put(item)
            else:
                self._outbox.add_control(item)

    def take(self) -> tuple[list[Item], int, int]:
        """Take all that is held. Returns: it, the messages in it, and how many were dropped for them."""
        items = list(self._outbox.own())
        messages = self._outbox.clear()
        dropped, self.dropped = self.dropped, 0
        return items, messages, dropped
