"""What an XPUB receives: the notices and messages of all peers, in the order in which they came."""

from __future__ import annotations

import pytest

from triomq._patterns._arrivals import Arrivals

from .fakes import FakePipe, message

MANY = 1_000_000


def told(arrivals: Arrivals) -> list[bytes]:
    """Everything, one by one; `peek` is to tell the truth each time."""
    found = []
    while (seen := arrivals.peek()) is not None:
        assert arrivals.take() == seen
        found.append(bytes(seen))
    assert arrivals.take() is None
    return found


def with_notices(changes: str, *, most: int = MANY, most_bytes: int = MANY) -> Arrivals:
    """Notices such as ``"+a -b =c"``."""
    arrivals = Arrivals(most, most_bytes)
    for word in changes.split():
        arrivals.add_notice(word[1:].encode(), {"+": 1, "-": -1, "=": 0}[word[0]])
    return arrivals


@pytest.mark.parametrize(("change", "notice"), [("+a", b"\1a"), ("-a", b"\0a"), ("=a", b"\1a"), ("+", b"\1")])
def test_a_notice_is_a_one_or_a_zero_and_the_topic(change: str, notice: bytes) -> None:
    assert told(with_notices(change)) == [notice]


def test_notices_and_messages_come_in_the_order_in_which_they_were_added() -> None:
    one, two = FakePipe(), FakePipe()
    arrivals = Arrivals(MANY, MANY)
    arrivals.add_notice(b"a", 1)
    arrivals.add_message(two, message(b"first"))
    arrivals.add_message(one, message(b"second"))
    arrivals.add_notice(b"a", -1)
    arrivals.add_message(two, message(b"third"))
    assert told(arrivals) == [b"\1a", b"first", b"second", b"\0a", b"third"]


def test_messages_wait_in_their_pipes_inboxes_and_are_counted_there() -> None:
    pipe = FakePipe()
    arrivals = Arrivals(MANY, MANY)
    for text in (b"a", b"b"):
        arrivals.add_message(pipe, message(text))
    assert (pipe.received, len(pipe.inbox.queue)) == (2, 2)
    arrivals.take()
    assert len(pipe.inbox.queue) == 1


def test_a_source_that_waits_is_told_when_a_message_is_taken() -> None:
    pipe = FakePipe()
    arrivals = Arrivals(MANY, MANY)
    arrivals.add_message(pipe, message(b"a"))
    arrivals.add_notice(b"t", 1)
    pipe.inbox.source_waits, pipe.inbox.resume_below = True, 0
    arrivals.take()
    assert pipe.source.resumed == 1


def test_in_a_conflating_inbox_the_newest_message_takes_the_place_of_the_one_before() -> None:
    pipe = FakePipe(conflate=True)
    arrivals = Arrivals(MANY, MANY)
    for text in (b"old", b"new"):
        arrivals.add_message(pipe, message(text))
        arrivals.add_notice(b"t", 1)
    assert told(arrivals) == [b"new", b"\1t", b"\1t"]
    assert (pipe.received, pipe.dropped) == (2, 1)


@pytest.mark.parametrize(
    ("notices", "left"),
    [
        ("+a -a +b -b +c", "+c"),
        ("+a -a +a -a +a", "+a"),
        ("-a +a -a +a -a", "-a"),
        ("=a =a =a =a =a", ""),  # only repeated: the user knows already
        ("+a =a +b -b =b", "+a"),
        ("+a +b +c +d -a", "+b +c +d"),
        ("+a +b +c +d +e", "+a +b +c +d +e"),
    ],
)
def test_with_too_many_notices_those_that_undo_each_other_are_forgotten(notices: str, left: str) -> None:
    assert told(with_notices(notices, most=4)) == told(with_notices(left))


def test_up_to_the_limit_nothing_is_forgotten() -> None:
    notices = "+a -a +b -b"
    assert told(with_notices(notices, most=4)) == told(with_notices(notices))


def test_bytes_of_topics_are_limited_too() -> None:
    assert told(with_notices("+aaaa -aaaa +b", most_bytes=8)) == [b"\1b"]
    assert len(told(with_notices("+aaaa -aaaa", most_bytes=8))) == 2


def test_what_was_taken_counts_no_more() -> None:
    arrivals = Arrivals(3, 9)
    for number in range(20):
        arrivals.add_notice(b"%08d" % (number // 2), 1 - 2 * (number % 2))
        arrivals.add_notice(b"", 1)
        assert [arrivals.take(), arrivals.take()] == [
            (b"\1\0"[number % 2 : number % 2 + 1] + b"%08d" % (number // 2),),
            (b"\1",),
        ]
    assert told(arrivals) == []
    for change in (1, -1):
        arrivals.add_notice(b"a", change)
    assert len(told(arrivals)) == 2


def test_of_several_that_count_the_newest_are_kept() -> None:
    assert told(with_notices("+a +b -a +a +c", most=4)) == [b"\1b", b"\1a", b"\1c"]


def test_messages_are_never_forgotten() -> None:
    pipe = FakePipe()
    arrivals = Arrivals(2, MANY)
    for number in range(5):
        arrivals.add_notice(b"t", 1)
        arrivals.add_message(pipe, message(b"%d" % number))
        arrivals.add_notice(b"t", -1)
    assert [text for text in told(arrivals) if text[0] > 1] == [b"0", b"1", b"2", b"3", b"4"]


def test_what_cannot_be_forgotten_is_not_looked_at_each_time() -> None:
    """As many again must come first: or each notice would cost as much as all of them."""
    looks = 0

    class Counting(Arrivals):
        __slots__ = ()

        def _forget_undone(self) -> None:
            nonlocal looks
            looks += 1
            super()._forget_undone()

    arrivals = Counting(4, MANY)
    for number in range(400):
        arrivals.add_notice(b"%d" % number, 1)
    assert looks <= 8  # 4, 8, 16, … 400
    assert len(told(arrivals)) == 400


def test_cleared_nothing_is_left() -> None:
    arrivals = with_notices("+a +b", most=4)
    arrivals.add_message(FakePipe(), message(b"m"))
    arrivals.clear()
    assert told(arrivals) == []
