"""What an XPUB receives: the notices and messages of all peers, in the order in which they came."""

from __future__ import annotations

import random

import pytest

from triomq._patterns._arrivals import Arrivals

from .fakes import FakePipe, message

MANY = 1_000_000


def told(arrivals: Arrivals) -> list[bytes]:
    """Everything, one by one; `peek` is to tell the truth each time."""
    found = []
    while (seen := arrivals.peek()) is not None:
        assert arrivals.take() == seen
        found += seen
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
        ("+a -a +b -b +c -c", "+a -a +b -b"),
        ("+a -a +a -a +a", "+a -a +a"),
        ("-a +a -a +a -a", "-a +a -a"),
        ("=a =a =a =a =a", "=a =a =a =a"),
        ("+a =a +b -b =b", "+a =a +b -b"),
        ("+a +b +c +d -a", "+b +c +d"),
        ("+a +b +c +d +e", "+a +b +c +d +e"),
        ("+a +b -a +c +a", "+a +b +c"),
    ],
)
def test_while_many_wait_a_notice_and_the_newest_that_it_undoes_are_dropped(notices: str, left: str) -> None:
    assert told(with_notices(notices, most=4)) == told(with_notices(left))


@pytest.mark.parametrize("seed", range(30))
def test_what_is_left_leads_to_what_is_true_and_is_no_more_than_that_needs(seed: int) -> None:
    chance = random.Random(seed)
    arrivals, most, topics = Arrivals(10, MANY), 10, [b"a", b"b", b"c", b"d"]
    counts = dict.fromkeys(topics, 0)
    known = dict.fromkeys(topics, False)
    for _ in range(300):
        topic = chance.choice(topics)
        change = chance.choice([1, -1]) if counts[topic] else 1
        counts[topic] += change
        notice = (counts[topic] == 1) if change == 1 else -(counts[topic] == 0)
        arrivals.add_notice(topic, int(notice))  # the first, the last, or only repeated
        if chance.random() < 0.05:
            texts = told(arrivals)
            assert len(texts) <= most + len(topics)
            for text in texts:
                known[text[1:]] = text[:1] == b"\1"
            assert known == {topic: count > 0 for topic, count in counts.items()}


def test_up_to_the_limit_nothing_is_forgotten() -> None:
    notices = "+a -a +b -b"
    assert told(with_notices(notices, most=4)) == told(with_notices(notices))


def test_bytes_of_topics_are_limited_too() -> None:
    assert told(with_notices("+aaaa -aaaa +bbbb -bbbb", most_bytes=8)) == [b"\1aaaa", b"\0aaaa"]
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


def test_messages_are_never_forgotten() -> None:
    pipe = FakePipe()
    arrivals = Arrivals(2, MANY)
    for number in range(5):
        arrivals.add_notice(b"t", 1)
        arrivals.add_message(pipe, message(b"%d" % number))
        arrivals.add_notice(b"t", -1)
    assert [text for text in told(arrivals) if text[0] > 1] == [b"0", b"1", b"2", b"3", b"4"]


def test_cleared_nothing_is_left() -> None:
    arrivals = with_notices("+a +b", most=4)
    arrivals.add_message(FakePipe(), message(b"m"))
    arrivals.clear()
    assert told(arrivals) == []
