"""Whether a thread has a processor for itself, by how often it was taken away."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterable, Iterator
from typing import NoReturn

import pytest

from triomq._runtime._processor import ASKED_PER_COUNT, Processor, times_taken_away


def processor(counts: Iterable[int]) -> Processor:
    """One that was taken away that often by each count, the first of which is made at once."""
    return Processor(iter(counts).__next__)


def answers(processor: Processor) -> Iterator[bool]:
    """What it says, from one count to the next; never says anything else meanwhile."""
    while True:
        said = {processor.is_own() for _ in range(ASKED_PER_COUNT)}
        assert len(said) == 1
        yield said.pop()


def test_nobody_knows_before_the_second_count() -> None:
    own = processor([7, 7])
    assert [own.is_own() for _ in range(ASKED_PER_COUNT - 1)] == [False] * (ASKED_PER_COUNT - 1)
    assert own.is_own()


@pytest.mark.parametrize(("times", "own"), [(0, True), (4, True), (5, False), (ASKED_PER_COUNT // 2, False)])
def test_it_is_taken_from_its_owner_hardly_ever(times: int, own: bool) -> None:
    asked = processor([100, 100 + times])
    for _ in range(ASKED_PER_COUNT - 1):
        asked.is_own()
    assert asked.is_own() is own


def test_only_what_happened_lately_counts() -> None:
    asked = processor([0, 50, 50, 51, 90, 90])
    for _ in range(ASKED_PER_COUNT - 1):
        asked.is_own()
    said = answers(asked)
    assert [next(said) for _ in range(4)] == [False, True, True, False]


def test_where_the_system_counts_nothing_nobody_knows() -> None:
    said = answers(processor([0] * 5))
    assert [next(said) for _ in range(2)] == [False] * 2


def test_the_system_is_asked_seldom() -> None:
    calls = 0

    def count() -> int:
        nonlocal calls
        calls += 1
        return 0

    asked = Processor(count)
    for _ in range(10 * ASKED_PER_COUNT):
        asked.is_own()
    assert calls == 11


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count that")
def test_what_the_system_says_never_shrinks() -> None:
    counts = [times_taken_away() for _ in range(100)]
    assert counts == sorted(counts)
    assert counts[0] >= 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count that")
@pytest.mark.parametrize(
    "error", [OSError(errno.EPERM, "Operation not permitted"), ValueError("invalid who parameter")]
)
def test_a_system_that_does_not_say_has_counted_nothing(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> NoReturn:
        raise error

    monkeypatch.setattr("resource.getrusage", refuse)
    assert times_taken_away() == 0
