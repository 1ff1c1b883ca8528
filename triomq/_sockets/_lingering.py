"""How long a socket lingers: ``linger``, and not less where this program computed when that was over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from .._connections import LATE


async def linger(seconds: float, finish: Callable[[], Awaitable[object]]) -> None:
    """Let something finish within so many seconds.

    A limit that is noticed too late gives back the time for which this program stood still, but for no longer than
    the limit itself: what could have left meanwhile did not.

    Args:
      seconds: the limit.
      finish: may be cancelled, and called again.
    """
    deadline = trio.current_time() + seconds
    while True:
        with trio.CancelScope(deadline=deadline):
            await finish()
            return
        late = trio.current_time() - deadline
        if late < LATE:
            return
        deadline = trio.current_time() + min(late, seconds)
