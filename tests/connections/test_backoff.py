"""Waits between two attempts: drawn between 0 and a bound that doubles."""

from __future__ import annotations

import math
import random

import pytest

from triomq._connections._timers import Backoff


class Dice(random.Random):
    """Draws the same share of every range, and writes the ranges down."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.bounds: list[float] = []

    def uniform(self, a: float, b: float) -> float:
        assert a == 0
        self.bounds.append(b)
        return self.share * b


def bounds(first: float, most: float, attempts: list[float]) -> list[float]:
    """The bound of each wait, for attempts that took so long."""
    dice = Dice(1)
    backoff = Backoff(first, most, dice)
    assert [backoff.next_wait(attempt) for attempt in attempts] == dice.bounds
    return dice.bounds


@pytest.mark.parametrize(
    ("first", "most", "attempts", "expected"),
    [
        (0.1, 30, [0] * 5, [0.1, 0.2, 0.4, 0.8, 1.6]),
        (1, 30, [0] * 7, [1, 2, 4, 8, 16, 30, 30]),
        (1, math.inf, [0] * 7, [1, 2, 4, 8, 16, 32, 64]),
        (1, 1, [0] * 3, [1, 1, 1]),
        (5, 0, [0] * 3, [5, 5, 5]),  # a maximum below the first bound is none: no growth, as in libzmq
        (1, 30, [10, 0, 10, 0], [10, 2, 10, 8]),  # no less than the attempt took
        (1, 30, [100, 100], [30, 30]),  # but no more than the maximum
        (1, math.inf, [100, 0], [100, 2]),
    ],
)
def test_the_bound_doubles_up_to_the_maximum_and_is_no_less_than_the_attempt_took(
    first: float, most: float, attempts: list[float], expected: list[float]
) -> None:
    assert bounds(first, most, attempts) == expected


@pytest.mark.parametrize("share", [0, 0.25, 1])
def test_a_wait_is_drawn_from_the_whole_range(share: float) -> None:
    backoff = Backoff(1, 30, Dice(share))
    assert [backoff.next_wait() for _ in range(3)] == [share, 2 * share, 4 * share]


def test_waits_of_a_fair_dice_fill_the_range() -> None:
    backoff = Backoff(1, 1, random.Random(5))
    waits = sorted(backoff.next_wait() for _ in range(1000))
    assert 0 <= waits[0] < 0.01
    assert 0.99 < waits[-1] <= 1
    assert 0.45 < sum(waits) / 1000 < 0.55


def test_two_peers_of_different_dice_do_not_come_back_in_step() -> None:
    one, two = (Backoff(1, 30, random.Random(seed)) for seed in (1, 2))
    assert [one.next_wait() for _ in range(5)] != [two.next_wait() for _ in range(5)]


def test_after_a_connection_that_worked_it_begins_again() -> None:
    dice = Dice(1)
    backoff = Backoff(1, 30, dice)
    for _ in range(3):
        backoff.next_wait()
    backoff.reset()
    backoff.next_wait()
    assert dice.bounds == [1, 2, 4, 1]


def test_however_often_it_fails_the_bound_is_a_number() -> None:
    dice = Dice(1)
    backoff = Backoff(0.1, math.inf, dice)
    for _ in range(2000):
        backoff.next_wait()
    assert dice.bounds[-1] == 0.1 * 2**64
    assert dice.bounds == sorted(dice.bounds)


@pytest.mark.parametrize("least", [0.0, 0.5])
def test_a_bound_of_for_ever_is_a_wait_for_ever(least: float) -> None:
    backoff = Backoff(math.inf, 30, random.Random(5), least=least)
    assert [backoff.next_wait(attempt) for attempt in (0.0, 1.0, 0.0)] == [math.inf] * 3
