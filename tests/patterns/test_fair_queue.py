"""Receiving from many: each in turn, and what a peer sent before it left comes first."""

from __future__ import annotations

import triomq
from triomq._patterns import FairQueue
from triomq._pipes import Pipe

from .pipes import Owner


def deliver(pipe: Pipe, *bodies: str) -> None:
    """The peer of the pipe has sent these."""
    pipe.deliver([triomq.Message([body.encode()]) for body in bodies])


def taken(queue: FairQueue, most: int = 1000) -> list[str]:
    """What is received, one message at a time."""
    found = []
    while len(found) < most and (message := queue.take()) is not None:
        found.append(message.text())
    return found


def test_each_has_its_turn() -> None:
    queue = FairQueue()
    owner = Owner(readable=queue.activate)
    a, b, c = (owner.pipe() for _ in range(3))
    deliver(a, "a1", "a2", "a3", "a4")
    deliver(b, "b1")
    deliver(c, "c1", "c2")
    assert taken(queue, 2) == ["a1", "b1"]
    deliver(b, "b2", "b3")
    assert taken(queue) == ["c1", "a2", "b2", "c2", "a3", "b3", "a4"]
    assert queue.take() is None


def test_all_of_one_at_once_and_of_several_in_turn() -> None:
    queue = FairQueue()
    owner = Owner(readable=queue.activate)
    a, b = owner.pipe(), owner.pipe()
    deliver(a, "a1", "a2", "a3")
    assert [message.text() for message in queue.take_many(2)] == ["a1", "a2"]
    assert [message.text() for message in queue.take_many(2)] == ["a3"]
    assert queue.take_many(2) == []
    deliver(a, "a4", "a5")
    deliver(b, "b1")
    assert [message.text() for message in queue.take_many(10)] == ["a4", "b1", "a5"]


def test_a_peer_that_left_is_received_from_until_nothing_is_left_of_it() -> None:
    """It may be back by another pipe, which stands behind."""
    queue = FairQueue()
    owner = Owner(readable=queue.activate)
    gone, other, back = (owner.pipe() for _ in range(3))
    deliver(gone, "1", "2", "3")
    deliver(other, "x", "y")
    gone.peer = None
    deliver(back, "4", "5")
    assert taken(queue) == ["1", "2", "3", "x", "4", "y", "5"]


def test_what_is_next_is_what_is_taken() -> None:
    queue = FairQueue()
    owner = Owner(readable=queue.activate)
    a, b = owner.pipe(), owner.pipe()
    assert queue.peek() is queue.next_pipe() is None
    deliver(b, "b1")
    deliver(a, "a1", "a2")
    for pipe, text in ((b, "b1"), (a, "a1"), (a, "a2")):
        assert queue.next_pipe() is pipe
        message = queue.peek()
        assert message is not None
        assert message.text() == text
        assert queue.take() is message


def test_what_is_forgotten_may_come_again() -> None:
    queue = FairQueue()
    pipe = Owner(readable=queue.activate).pipe()
    deliver(pipe, "lost")
    queue.clear()
    assert queue.take() is None
    pipe.inbox.clear()
    deliver(pipe, "heard")
    assert taken(queue) == ["heard"]
