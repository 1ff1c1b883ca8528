"""How long a run does without the other one: whom it would wake, would only stand in its way.

Theory of operation

Two runs in two threads have one interpreter, and CPython lets one thread at a time run in it. A run lets go of it in
each look for events, that is after each turn of messages. If the other run is awake then, its thread is woken each
time, mostly in vain, for the first one is back before that thread gets anywhere. That costs both of them: some 30 µs
for each turn, as much as the turn's messages cost. So the run that goes on lets the other one sleep. A sender gathers
what it sends, until it has sent no more for a turn, finds no room, or a millisecond has passed. A receiver takes what
it has in the same way, before it tells of room. Then each has the interpreter to itself for a thousand messages or two.

Where threads do run at the same time, in a free-threaded build, nothing waits for that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from ..._runtime import LONGEST_TURN

_one_at_a_time: Final[Callable[[], bool]] = getattr(sys, "_is_gil_enabled", lambda: True)

TOGETHER: Final = LONGEST_TURN if _one_at_a_time() else 0.0
"""seconds for which a run that goes on lets the other one sleep, at the most"""


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
