"""What a peer sent and the user has not received yet."""

from __future__ import annotations

import math

import pytest

from triomq._pipes import UNCONNECTED, Inbox

from .roles import RecordingSource, messages, texts


@pytest.mark.parametrize(
    ("limit", "fill", "full"),
    [(1, 0, False), (1, 1, True), (3, 2, False), (3, 3, True), (3, 5, True), (math.inf, 9, False), (0, 0, True)],
)
def test_it_is_full_at_its_limit_and_takes_what_comes_all_the_same(limit: float, fill: int, full: bool) -> None:
    inbox = Inbox(limit)
    assert inbox.put(messages("abcdefghi"[:fill])) == 0
    assert inbox.is_full is full
    assert texts(inbox) == "abcdefghi"[:fill]


@pytest.mark.parametrize(
    ("brought", "dropped", "left"),
    [(["a"], [0], "a"), (["a", "b"], [0, 1], "b"), (["abc"], [2], "c"), (["ab", "", "c"], [1, 0, 1], "c")],
)
def test_a_conflating_one_keeps_the_newest_and_tells_how_many_it_dropped(
    brought: list[str], dropped: list[int], left: str
) -> None:
    inbox = Inbox(2, conflate=True)
    assert [inbox.put(messages(each)) for each in brought] == dropped
    assert texts(inbox) == left


def test_a_conflating_one_is_never_full() -> None:
    inbox = Inbox(1, conflate=True)
    inbox.put(messages("abc"))
    assert inbox.conflates
    assert not inbox.is_full
    assert not Inbox(1).conflates


def waiting(limit: int, fill: str, resume_below: float) -> tuple[Inbox, RecordingSource]:
    inbox, source = Inbox(limit), RecordingSource()
    inbox.source = source
    inbox.put(messages(fill))
    inbox.source_waits, inbox.resume_below = True, resume_below
    return inbox, source


def test_a_source_that_waits_is_told_once_when_half_is_taken() -> None:
    inbox, source = waiting(6, "abcdef", 3)
    told = []
    for _ in range(6):
        inbox.queue.popleft()
        inbox.taken()
        told.append(source.resumed)
    assert told == [0, 0, 1, 1, 1, 1]
    assert not inbox.source_waits


def test_a_source_that_waits_is_told_when_all_is_taken_at_once() -> None:
    inbox, source = waiting(6, "abcdef", 3)
    inbox.queue.clear()
    inbox.taken()
    assert source.resumed == 1


def test_a_source_that_names_no_number_is_told_at_the_first_message() -> None:
    inbox, source = waiting(2, "ab", math.inf)
    inbox.queue.popleft()
    inbox.taken()
    assert source.resumed == 1


def test_a_source_that_does_not_wait_is_told_nothing() -> None:
    inbox, source = waiting(2, "ab", 2)
    inbox.source_waits = False
    inbox.queue.clear()
    inbox.taken()
    assert source.resumed == 0


def test_a_source_may_wait_again_from_within_what_it_is_told() -> None:
    inbox, _ = waiting(2, "ab", 1)

    class Refills(RecordingSource):
        def resume(self) -> None:
            super().resume()
            inbox.put(messages("c"))
            inbox.source_waits = True

    source = inbox.source = Refills()
    for _ in range(3):
        inbox.queue.popleft()
        inbox.taken()
    assert source.resumed == 3
    assert texts(inbox) == "cc"


def test_without_a_source_nobody_is_told() -> None:
    inbox = Inbox(1)
    assert inbox.source is UNCONNECTED
    inbox.source_waits = True
    inbox.taken()
    assert not inbox.source_waits
    assert inbox.source.lend() is None
    assert not inbox.source.hang_up(ValueError())
