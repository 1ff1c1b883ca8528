"""A limit is as long as was said, and a stall of this program is no part of that."""

from __future__ import annotations

import math

import pytest
import trio
from trio.testing import MockClock

from triomq._runtime import within


@pytest.mark.parametrize(("stall", "ends_at"), [(0.0, 0.5), (0.52, 0.52), (0.7, 0.9), (3.0, 3.5)])
def test_a_limit_that_is_noticed_late_gives_the_time_back(stall: float, ends_at: float) -> None:
    clock = MockClock(autojump_threshold=0)
    calls: list[float] = []

    async def finish() -> None:
        calls.append(trio.current_time())
        if len(calls) == 1:
            clock.jump(stall)
        await trio.sleep_forever()

    async def main() -> float:
        start = trio.current_time()
        await within(0.5, finish)
        return trio.current_time() - start

    assert trio.run(main, clock=clock) == pytest.approx(ends_at)


@pytest.mark.parametrize("seconds", [0.0, 0.5, math.inf])
def test_what_finishes_ends_it(seconds: float) -> None:
    calls = 0

    async def finish() -> None:
        nonlocal calls
        calls += 1

    trio.run(within, seconds, finish)
    assert calls == 1


def test_cancelling_ends_it() -> None:
    async def main() -> None:
        with trio.move_on_after(1) as scope:
            await within(math.inf, trio.sleep_forever)
        assert scope.cancelled_caught

    trio.run(main, clock=MockClock(autojump_threshold=0))
