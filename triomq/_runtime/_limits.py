"""Time limits that are noticed too late, because this program computed or was stopped meanwhile.

What the other side did in that time lies in the system, and what it waited for was not written. So a limit that is
noticed too late gives the time back, once more, though no more than the limit itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import trio

_LATE: Final = 0.05
"""seconds by which a limit is noticed too late when this program stood still"""


def given_back(late: float, limit: float) -> float:
    """Seconds to go on for after a limit that is up; 0 if it was noticed in time.

    Args:
      late: seconds since the limit was up.
      limit: seconds, the whole of it.
    """
    return min(late, limit) if late >= _LATE else 0.0


async def within(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Let something finish within a time limit, and within the time that `given_back` adds.

    Args:
      seconds: the limit; 0 leaves only what is done without waiting.
      work: may be cancelled, and called again.
    """
    deadline = trio.current_time() + seconds
    while True:
        with trio.CancelScope(deadline=deadline):
            await work()
            return
        now = trio.current_time()
        more = given_back(now - deadline, seconds)
        if not more:
            return
        deadline = now + more
