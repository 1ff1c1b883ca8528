"""Whether to gather for another turn: as long as turns bring more."""

from __future__ import annotations


class Gathering:
    """Whether a queue goes on to grow, or to shrink; asked in each turn of the flusher.

    The flusher and the task that uses the queue run in any order: between two questions that task may have had no turn,
    but between three it has had one.
    """

    __slots__ = ("_before", "_changed", "_since")

    def __init__(self) -> None:
        self._before = -1  # the length when this was asked before; -1 if nothing goes on
        self._changed = False  # it was another one then than the time before that
        self._since = 0.0

    def goes_on(self, length: int, now: float, longest: float) -> bool:
        """Whether to go on for another turn, and ask again.

        Args:
          length: of the queue.
          now: trio's time.
          longest: seconds from the first question; then it is enough.
        """
        if self._before < 0:
            self._since = now
            changed = True
        else:
            changed = length != self._before
        more = (changed or self._changed) and now - self._since < longest
        self._before, self._changed = (length if more else -1), changed
        return more
