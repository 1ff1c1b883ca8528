"""Work with many topics is done in pieces, and each piece leaves everything right."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from triomq import zmtp
from triomq._options import Options
from triomq._patterns import Publisher, Subscriber, XPublisher
from triomq._pipes import QueuedPipe

PEER = zmtp.PeerInfo(socket_type="SUB", routing_id=b"", metadata={}, version=(3, 1), mechanism="NULL")
PIECE = 64


class Turn:
    """Counts nothing."""

    left = 64


class Later:
    """Chores that wait until the test does a piece of them."""

    def __init__(self) -> None:
        self.works: list[Iterator[None]] = []

    def start(self, work: Iterator[None]) -> None:
        self.works.append(work)

    def do_a_piece(self) -> bool:
        """Returns: whether there was one."""
        while self.works:
            try:
                next(self.works[0])
                return True
            except StopIteration:
                del self.works[0]
        return False

    def do_all(self) -> None:
        while self.do_a_piece():
            pass


def pattern_of(kind: Any, **options: Any) -> tuple[Any, Later]:
    pattern, later = kind(Options(**options), random.Random(0), Turn()), Later()
    pattern.chores = later
    return pattern, later


def pipe_of(pattern: Any) -> QueuedPipe:
    pipe = QueuedPipe(pattern, "tcp://far:1", 10_000, 10_000)
    pattern.pipes[pipe] = None
    pattern.added(pipe)
    come(pattern, pipe)
    return pipe


def come(pattern: Any, pipe: QueuedPipe) -> None:
    pipe.peer = PEER
    pattern.ready(pipe)


def go(pattern: Any, pipe: QueuedPipe) -> None:
    pipe.peer = None
    pattern.lost(pipe)


def topics(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, PIECE, PIECE + 1, 1000])
def test_a_peer_that_left_gets_nothing_from_that_moment_on(count: int) -> None:
    pub, later = pattern_of(Publisher)
    leaves, stays = pipe_of(pub), pipe_of(pub)
    for pipe in (leaves, stays):
        pipe.deliver([zmtp.Subscribe(topic) for topic in topics(count)])
    go(pub, leaves)
    for topic in topics(count):
        assert pub.audience(topic) == [stays]
        pub.submit((topic,))
    assert (leaves.queued(), stays.queued()) == (0, count)
    assert len(later.works) == (count > PIECE)
    later.do_all()
    assert [pub.audience(topic) for topic in topics(count)] == [[stays]] * count


def test_a_peer_that_is_back_while_it_is_being_forgotten_gets_what_it_wants_now() -> None:
    pub, later = pattern_of(Publisher)
    pipe = pipe_of(pub)
    pipe.deliver([zmtp.Subscribe(topic) for topic in topics(1000)])
    go(pub, pipe)
    later.do_a_piece()
    come(pub, pipe)
    pipe.deliver([zmtp.Subscribe(b"999"), zmtp.Subscribe(b"new")])
    for _ in range(20):
        assert pub.audience(b"999") == pub.audience(b"new") == [pipe]
        assert pub.audience(b"998") == []
        later.do_a_piece()
    pipe.deliver([zmtp.Cancel(b"999")])
    assert pub.audience(b"999") == []


def test_an_xpub_tells_of_every_topic_once_and_in_order() -> None:
    xpub, later = pattern_of(XPublisher)
    pipe = pipe_of(xpub)
    pipe.deliver([zmtp.Subscribe(topic) for topic in topics(200)])
    assert xpub.take_many(1000) == [(b"\1" + topic,) for topic in topics(200)]
    go(xpub, pipe)
    told = xpub.take_many(1000)
    assert len(told) == PIECE
    while later.do_a_piece():
        more = xpub.take_many(1000)
        assert len(more) <= PIECE
        told += more
    assert told == [(b"\0" + topic,) for topic in topics(200)]


def test_a_topic_that_another_peer_asks_for_meanwhile_is_told_in_the_end() -> None:
    """The user's picture is right when all is told: the topic is wanted."""
    xpub, later = pattern_of(XPublisher)
    leaves, comes = pipe_of(xpub), pipe_of(xpub)
    leaves.deliver([zmtp.Subscribe(topic) for topic in topics(200)])
    go(xpub, leaves)
    comes.deliver([zmtp.Subscribe(b"199")])
    later.do_all()
    wanted: dict[bytes, int] = {}
    for (notice,) in xpub.take_many(1000):
        wanted[notice[1:]] = notice[0]
    assert [topic for topic, now in wanted.items() if now] == [b"199"]


def subscriptions(pipe: QueuedPipe) -> list[tuple[bool, bytes]]:
    """Whether each of the events that wait subscribes, and its topic."""
    events = [event for event in pipe.outbox.own() if isinstance(event, (zmtp.Subscribe, zmtp.Cancel))]
    return [(isinstance(event, zmtp.Subscribe), event.topic) for event in events]


@pytest.mark.parametrize("count", [0, 1, PIECE, PIECE + 1, 1000])
def test_a_new_publisher_is_told_everything_in_order(count: int) -> None:
    sub, later = pattern_of(Subscriber)
    for topic in topics(count):
        sub.subscribe(topic)
    pipe = pipe_of(sub)
    assert len(subscriptions(pipe)) == min(count, PIECE)
    later.do_all()
    assert subscriptions(pipe) == [(True, topic) for topic in topics(count)]


def test_what_is_cancelled_before_a_publisher_was_told_is_not_told() -> None:
    sub, later = pattern_of(Subscriber)
    for topic in topics(200):
        sub.subscribe(topic)
    pipe = pipe_of(sub)
    sub.unsubscribe(b"199")
    later.do_all()
    told = subscriptions(pipe)
    assert sorted(topic for subscribes, topic in told if subscribes) == sorted(topics(199))


def test_a_publisher_that_leaves_and_comes_back_is_told_from_the_start() -> None:
    sub, later = pattern_of(Subscriber)
    for topic in topics(200):
        sub.subscribe(topic)
    pipe = pipe_of(sub)
    go(sub, pipe)
    pipe.outbox.clear()
    pipe.peer = zmtp.PeerInfo(socket_type="PUB", routing_id=b"", metadata={}, version=(3, 1), mechanism="NULL")
    sub.ready(pipe)
    later.do_all()
    assert subscriptions(pipe) == [(True, topic) for topic in topics(200)]
