"""Whether this thread has a processor for itself.

Theory of operation

A task that waits for the answer to what it has just sent may look for it between a few iterations of trio's loop,
before the program goes to sleep (see `triomq._sockets._patience`). Where others want the processor, that keeps them
from it, and the peer that is to answer may be one of them.

The system counts how often it took the processor from a thread that would have gone on. With a processor for itself,
that happens once in a hundred round trips or less; with one that is shared, once in two or three. Which processors a
thread may run on would not tell: two programs that are tied to one processor each may have the same one, and others may
be busy there.

Some systems and sandboxes do not count that: they say 0 for ever. So 0 means that nobody knows. A thread that truly
never lost its processor says so only until it loses it once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final


def times_taken_away() -> int:
    """How often the system took the processor from this thread, or from this program's threads, so far.

    Returns: 0, too, if the system does not tell, as Windows does not.
    """
    if sys.platform == "win32":
        return 0
    try:
        import resource  # for the first context, as it takes time to import

        # macOS counts for the whole program only. That is more, so that tasks look less often there.
        return resource.getrusage(getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)).ru_nivcsw
    except (OSError, ValueError):  # a sandbox forbids the call, or the system knows no count for a thread
        return 0


ASKED_PER_COUNT: Final = 128
"""calls of `Processor.is_own` between two calls of the system, of 1 µs each"""
_MOST_TIMES: Final = 4  # that the processor is taken from a thread between these


class Processor:
    """Tells by the recent past whether this thread has a processor for itself; no, at first, and if nobody knows.

    Args:
      times_taken_away: how often the system took the processor from this thread so far.
    """

    __slots__ = ("_is_own", "_taken_away", "_times_taken_away", "_until_count")

    def __init__(self, times_taken_away: Callable[[], int] = times_taken_away) -> None:
        self._times_taken_away = times_taken_away
        self._taken_away = times_taken_away()
        self._until_count = ASKED_PER_COUNT
        self._is_own = False

    def is_own(self) -> bool:
        """Whether a thread that keeps its processor a little longer keeps it from nobody.

        To be asked whenever a task that has just sent is about to wait: what happened between these calls counts.
        """
        self._until_count -= 1
        if self._until_count <= 0:
            before, self._taken_away = self._taken_away, self._times_taken_away()
            self._is_own = self._taken_away > 0 and self._taken_away - before <= _MOST_TIMES
            self._until_count = ASKED_PER_COUNT
        return self._is_own
