"""How late another task of the same event loop wakes up while messages are received."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

import attrs

from . import quantiles
from .job import Job

_EVERY = 0.001


@attrs.define
class Lateness:
    """A probe: `tick` is the other task."""

    job: Job
    _late: list[float] = attrs.field(factory=list)
    _start: float = 0.0

    def start(self) -> None:
        """Forget what was before: an idle loop sleeps in whole milliseconds and is up to one late by that."""
        self._late.clear()
        self._start = perf_counter()

    async def tick(self, sleep: Callable[[float], Awaitable[Any]]) -> None:
        """Wake up every millisecond, and note how late."""
        while True:
            due = perf_counter() + _EVERY
            await sleep(_EVERY)
            self._late.append((perf_counter() - due) * 1e6)

    def result(self) -> dict[str, Any]:
        """The quantiles, of which the figure is p99.9, and the rate of the messages meanwhile."""
        rate = self.job.count / (perf_counter() - self._start)
        # The one that is still asleep when all is over counts too: it may be what was kept waiting longest.
        found = quantiles.summary(self._late or [(perf_counter() - self._start - _EVERY) * 1e6])
        return {"value": found["p99.9"], **found, "messages/s": rate}
