"""What a sender knows of the room that its receiver has.

Theory of operation

Bytes leave as far as the receive window allows: the bytes on their way, and those that have arrived and are not read,
are never more than the receive buffer. Each byte read gives one byte of window back. The sender knows of it one
latency later, unless the way back is shut just then: in that case it learns of it with the next acknowledgement. The
agenda gets an entry only if the sender waits for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import final

from ._agenda import Agenda


@final
class Window:
    """The receive window, as the sender knows it.

    Args:
      size: bytes on their way or unread, at the most.
      opened: called when the sender, who has waited for it, learns of room.

    Attributes:
      credit: bytes that may leave now.
      untold: bytes of room of which the sender was not told.
    """

    __slots__ = ("_agenda", "_looking", "_opened", "_returns", "credit", "untold")

    def __init__(self, agenda: Agenda, size: int, opened: Callable[[], None]) -> None:
        self.credit: int = size
        self._agenda = agenda
        self._opened = opened
        self._returns: deque[tuple[float, int]] = deque()  # when the sender knows, and bytes
        self.untold: int = 0
        self._looking = False  # the agenda has an entry that will look at the window

    def give_back(self, size: int, knows_at: float) -> None:
        """The receiver has read bytes, and says so."""
        self._returns.append((knows_at, size + self.untold))
        self.untold = 0

    def keep_back(self, size: int) -> None:
        """The receiver has read bytes, and its word is lost."""
        self.untold += size

    def tell(self, knows_at: float) -> None:
        """The receiver acknowledges something, and so repeats the words that were lost."""
        self.give_back(0, knows_at)

    def update(self, now: float) -> int:
        """Take in what the sender has learned. Returns: `credit`."""
        while self._returns and self._returns[0][0] <= now:
            self.credit += self._returns.popleft()[1]
        return self.credit

    def await_word(self) -> bool:
        """Call ``opened`` when the sender learns of room. Returns: whether a word of that is on its way."""
        if self._returns and not self._looking:
            self._looking = True
            self._agenda.plan(self._returns[0][0], self._look)
        return bool(self._returns)

    def _look(self) -> None:
        self._looking = False
        self._opened()
