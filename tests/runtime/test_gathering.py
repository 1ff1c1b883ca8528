"""For how many turns a queue is gathered."""

from __future__ import annotations

import math

from triomq._runtime import Gathering


def test_a_queue_goes_on_while_its_length_changes() -> None:
    gathering = Gathering()
    assert [gathering.goes_on(length, 0.0, 1.0) for length in (10, 20, 20, 30, 30, 30)] == [True] * 5 + [False]
    assert [gathering.goes_on(length, 0.0, 1.0) for length in (30, 30, 30)] == [True, True, False]


def test_a_queue_goes_on_for_so_long_and_no_longer() -> None:
    gathering = Gathering()
    assert [gathering.goes_on(10 + second, 5.0 + second, 2.0) for second in range(3)] == [True, True, False]
    assert gathering.goes_on(50, 8.0, 2.0)
    assert not gathering.goes_on(60, 8.5, 0.0)
    assert gathering.goes_on(70, 100.0, math.inf)
