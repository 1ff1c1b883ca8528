"""The plan of whose turn is when."""

from __future__ import annotations

import math
import random

from triomq._connections._multicast._due import Due


def test_each_is_due_once_and_at_the_earliest_of_its_times() -> None:
    due: Due[str] = Due()
    assert due.next() == math.inf
    due.plan("a", 3.0)
    due.plan("b", 2.0)
    due.plan("a", 1.0)
    due.plan("a", 5.0)
    due.plan("never", math.inf)
    assert due.next() == 1.0
    assert due.take(0.5) == []
    assert due.take(1.0) == ["a"]
    assert due.take(10.0) == ["b"]
    assert due.next() == math.inf


def test_who_is_forgotten_is_never_due() -> None:
    due: Due[str] = Due()
    due.plan("a", 1.0)
    due.plan("b", 2.0)
    due.forget("a")
    due.forget("stranger")
    assert due.next() == 2.0
    assert due.take(5.0) == ["b"]


def test_what_is_planned_anew_again_and_again_takes_no_room() -> None:
    due: Due[int] = Due()
    rng = random.Random(1)
    for round_number in range(10_000):
        now = float(round_number)
        for one in due.take(now):
            due.plan(one, now + 300)
        one = rng.randrange(10)
        due.plan(one, now + rng.random())
    assert len(due._heap) < 100
    assert set(due.take(1e9)) == set(range(10))
