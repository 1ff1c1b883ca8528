"""What every pipe holds, of whatever kind: the queued one, inproc's, and the fake one that patterns are tested with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from triomq import Message
from triomq._pipes import UNCONNECTED, Inbox, InprocPipe, Pipe, QueuedPipe, Received
from triomq.zmtp import Subscribe

from ..patterns.fakes import FakePipe
from .roles import PEER, Owner, RecordingSource, message, messages, texts


class Case:
    """A pipe whose other end takes messages when `take` is called."""

    def __init__(self, pipe: Pipe, owner: Owner, take: Callable[[], Message]) -> None:
        self.pipe, self.owner, self.take = pipe, owner, take

    def send(self, letters: str) -> list[bool]:
        return [self.pipe.send_nowait(each) for each in messages(letters)]


def queued(limit: int, **owner_arguments: bool) -> Case:
    owner = Owner(**owner_arguments)
    pipe = QueuedPipe(owner, "tcp://x", limit, limit)

    def take() -> Message:
        batch, _ = pipe.outbox.take(1)
        pipe.count_sent(batch)
        pipe.room_made()
        (item,) = batch
        assert isinstance(item, Message)
        return item

    return Case(pipe, owner, take)


class OnlyMessages(Owner):
    """Takes subscriptions, which are for no user, and messages as they are."""

    def interpret(self, pipe: Pipe, events: Sequence[Received]) -> list[Message]:
        return [event for event in events if isinstance(event, Message)]


def inproc(limit: int, **owner_arguments: bool) -> Case:
    owner = Owner(**owner_arguments)
    near = InprocPipe(owner, "inproc://x", limit, conflate=False)
    far = InprocPipe(OnlyMessages(interprets=True), "inproc://x", limit, conflate=False)
    near.other, far.other = far, near
    near.joined = far.joined = True
    near.inbox.source, far.inbox.source = far, near

    def take() -> Message:
        taken = far.inbox.queue.popleft()
        far.inbox.taken()
        return taken

    return Case(near, owner, take)


def fake(limit: int, **owner_arguments: bool) -> Case:
    owner = Owner(**owner_arguments)
    pipe = FakePipe(owner, room=limit)
    pipe.inbox.limit = limit

    def take() -> Message:
        item = pipe.outbox.pop(0)
        pipe.room_left += 1
        pipe.room_made()
        assert isinstance(item, Message)
        return item

    return Case(pipe, owner, take)


EVERY = pytest.mark.parametrize("make", [queued, inproc, fake], ids=lambda make: make.__name__)


@EVERY
def test_messages_leave_in_the_order_in_which_they_were_accepted(make: Callable[..., Case]) -> None:
    case = make(3)
    assert case.send("abcd") == [True, True, True, False]
    assert [bytes(case.take()) for _ in range(3)] == [b"a", b"b", b"c"]


@EVERY
def test_room_is_what_is_accepted(make: Callable[..., Case]) -> None:
    case = make(3)
    for left in (3, 2, 1):
        assert case.pipe.room() == left
        assert case.pipe.has_room()
        case.send("a")
    assert case.pipe.room() == 0
    assert not case.pipe.has_room()
    assert case.pipe.send_capacity() == 3


@EVERY
@pytest.mark.parametrize("asked", [True, False], ids=["asked for room", "refused a message"])
def test_after_a_refusal_the_owner_is_told_once_that_there_is_room(make: Callable[..., Case], asked: bool) -> None:
    case = make(2)
    case.send("ab")
    for _ in range(2):
        assert not (case.pipe.has_room() if asked else case.send("c")[0])
    assert case.pipe.owner_waits
    for _ in range(2):
        case.take()
    assert case.owner.told == ["writable"]
    assert not case.pipe.owner_waits
    assert case.send("c") == [True]


@EVERY
def test_an_owner_that_was_not_refused_is_told_of_no_room(make: Callable[..., Case]) -> None:
    case = make(2)
    case.send("ab")
    case.take()
    case.pipe.room_made()
    assert case.owner.told == []


@EVERY
def test_an_owner_is_told_of_no_room_while_there_is_none(make: Callable[..., Case]) -> None:
    case = make(1)
    case.send("ab")
    case.pipe.room_made()
    assert case.owner.told == []
    case.take()
    assert case.owner.told == ["writable"]


@EVERY
def test_many_are_queued_as_one_by_one(make: Callable[..., Case]) -> None:
    case = make(3)
    case.pipe.send_many_nowait(messages("abc"))
    assert [bytes(case.take()) for _ in range(3)] == [b"a", b"b", b"c"]


@EVERY
def test_subscriptions_are_for_the_peer_that_is_there(make: Callable[..., Case]) -> None:
    case = make(1)
    case.pipe.control(Subscribe(b"a"))
    assert case.pipe.queued() == 0
    case.pipe.peer = PEER
    case.pipe.control(Subscribe(b"a"))
    assert case.pipe.messages_queued() == 0
    assert case.send("a") == [True]


@EVERY
def test_what_is_delivered_is_counted_and_wakes_the_owner_only_when_nothing_was_there(
    make: Callable[..., Case],
) -> None:
    case = make(9)
    case.pipe.deliver(messages("ab"))
    assert case.owner.told == ["readable"]
    case.pipe.inbox.in_round = True  # as the owner's fair queue does
    case.pipe.deliver(messages("c"))
    assert case.owner.told == ["readable"]
    assert texts(case.pipe.inbox) == "abc"
    assert case.pipe.received == 3


@EVERY
def test_an_owner_that_interprets_decides_what_is_received(make: Callable[..., Case]) -> None:
    case = make(9, interprets=True)
    case.pipe.deliver([message(b"a"), Subscribe(b"t"), message(b"x"), message(b"b")])
    assert case.owner.events == [message(b"a"), Subscribe(b"t"), message(b"x"), message(b"b")]
    assert texts(case.pipe.inbox) == "AB"
    assert case.pipe.received == 2


@EVERY
def test_nothing_for_the_user_wakes_nobody(make: Callable[..., Case]) -> None:
    case = make(9, interprets=True)
    case.pipe.deliver([Subscribe(b"t"), message(b"x")])
    assert case.owner.told == []
    assert case.pipe.received == 0


@EVERY
def test_dropped_messages_are_counted_at_the_pipe_and_told_to_the_owner(make: Callable[..., Case]) -> None:
    case = make(9)
    case.pipe.drop()
    case.pipe.drop(3)
    case.pipe.drop(0)
    assert (case.pipe.dropped, case.owner.lost) == (4, 4)


@EVERY
def test_let_go_it_refers_to_nobody_and_keeps_what_arrived(make: Callable[..., Case]) -> None:
    case = make(9)
    case.pipe.inbox.source = RecordingSource()
    case.pipe.deliver(messages("ab"))
    case.pipe.let_go()
    assert case.pipe.owner is not case.owner
    assert case.pipe.inbox.source is UNCONNECTED
    assert case.pipe.sink is UNCONNECTED
    assert texts(case.pipe.inbox) == "ab"
    case.pipe.deliver(messages("c"))
    case.pipe.drop()
    case.pipe.owner.writable(case.pipe)
    case.pipe.owner.drained(case.pipe)
    assert (case.owner.told, case.owner.lost) == (["readable"], 0)


def test_a_conflating_pipe_counts_what_it_drops() -> None:
    owner = Owner()
    pipe = QueuedPipe(owner, "tcp://x", 1, 1, conflate=True)
    pipe.deliver(messages("abc"))
    pipe.deliver(messages("d"))
    assert texts(pipe.inbox) == "d"
    assert (pipe.received, pipe.dropped, owner.lost) == (4, 3, 3)
    assert isinstance(pipe.inbox, Inbox)
