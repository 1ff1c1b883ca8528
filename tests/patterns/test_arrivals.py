"""Notices of subscriptions that nobody receives are bounded, and what is left of them is true."""

from __future__ import annotations

import triomq
from triomq._patterns import Arrivals

from .pipes import Owner


def told(arrivals: Arrivals) -> list[bytes]:
    """What waits to be received, all of it."""
    found = []
    while (message := arrivals.take()) is not None:
        found.append(bytes(message))
    return found


def test_those_that_undo_each_other_are_forgotten_in_the_end() -> None:
    """What is left says what is wanted now, to whoever knew what was wanted when it was last read."""
    arrivals = Arrivals(most_notices=10, most_octets=1000)
    arrivals.add_notice(b"known", 1)
    assert told(arrivals) == [b"\1known"]
    arrivals.add_notice(b"known", -1)
    arrivals.add_notice(b"new", 1)
    arrivals.add_message(Owner().pipe(), triomq.Message([b"message"]))
    for change in [1, -1] * 500 + [1]:
        arrivals.add_notice(b"again", change)
    left = told(arrivals)
    assert left[:3] == [b"\0known", b"\1new", b"message"]
    assert len(left) <= 11  # ten notices and a message
    again = left[3:]
    assert again == ([b"\1again", b"\0again"] * 5)[: len(again)]
    assert again[-1] == b"\1again"


def test_repeated_subscriptions_are_forgotten_too() -> None:
    """A verbose XPUB tells of them; the first of a topic is kept."""
    arrivals = Arrivals(most_notices=10, most_octets=1000)
    arrivals.add_notice(b"t", 1)
    for _ in range(1000):
        arrivals.add_notice(b"t", 0)
    left = told(arrivals)
    assert set(left) == {b"\1t"}
    assert len(left) <= 10


def test_few_notices_of_long_topics_count_as_many() -> None:
    arrivals = Arrivals(most_notices=1000, most_octets=1000)
    for number in range(100):
        for change in (1, -1):
            arrivals.add_notice(b"%d" % number + bytes(100), change)
    assert sum(map(len, told(arrivals))) <= 1110


def test_they_are_bounded_again_after_some_were_received() -> None:
    arrivals = Arrivals(most_notices=10, most_octets=1000)
    for number in range(40):  # none of them undoes another: all are kept
        arrivals.add_notice(b"%d" % number, 1)
    assert told(arrivals) == [b"\1%d" % number for number in range(40)]
    for _ in range(1000):
        arrivals.add_notice(b"t", 1)
        arrivals.add_notice(b"t", -1)
    assert len(told(arrivals)) <= 100
