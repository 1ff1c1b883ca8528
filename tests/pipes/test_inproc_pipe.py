"""The pipe to a socket of the same program: what is sent is in the other side's inbox."""

from __future__ import annotations

import gc
import math
import weakref

import pytest

from triomq._pipes import NOBODY, InprocPipe
from triomq.zmtp import Cancel, Ping, Subscribe

from .roles import PEER, Owner, message, messages, texts


def joined(limit: float = 100, *, interprets: bool = False, conflate: bool = False) -> tuple[InprocPipe, InprocPipe]:
    """Two ends that belong to sockets; the far one's ``interprets``, if asked for."""
    near = InprocPipe(Owner(), "inproc://x", limit, conflate=conflate)
    far = InprocPipe(Owner(interprets=interprets), "inproc://x", limit, conflate=conflate)
    near.other, far.other = far, near
    near.joined = far.joined = True
    near.inbox.source, far.inbox.source = far, near
    near.peer = far.peer = PEER
    return near, far


def gathering(limit: float = 100) -> tuple[InprocPipe, InprocPipe]:
    """An end whose name is not bound yet; the other is nobody's."""
    near, far = joined(limit)
    near.joined, far.owner = False, NOBODY
    near.peer = far.peer = None
    return near, far


def told(pipe: InprocPipe) -> list[str]:
    assert isinstance(pipe.owner, Owner)
    return pipe.owner.told


def test_what_is_sent_is_there_at_once_as_it_is_and_counted_at_both_ends() -> None:
    near, far = joined()
    sent = message(b"a")
    assert near.send_nowait(sent)
    assert far.inbox.queue[0] is sent
    assert (near.sent, far.received) == (1, 1)
    assert told(far) == ["readable"]
    assert near.queued() == 0


def test_a_message_arrives_as_it_was_sent() -> None:
    near, far = joined()
    sent = [(b"a", b"b"), message(b"c")]
    for each in sent:
        near.send_nowait(each)
    assert [*map(id, far.inbox.queue)] == [*map(id, sent)]


@pytest.mark.parametrize("interprets", [False, True])
@pytest.mark.parametrize("joined_", [True, False], ids=["joined", "waiting"])
def test_many_arrive_as_one_by_one(interprets: bool, joined_: bool) -> None:
    def outcome(*, together: bool) -> tuple[object, ...]:
        near, far = joined(interprets=interprets)
        near.joined = joined_
        items = [message(b"a"), (b"x",), message(b"b"), (b"c", b"d")]
        if together:
            near.send_many_nowait(items)
        else:
            for item in items:
                assert near.send_nowait(item)
        arrived = [*far.inbox.queue]
        return arrived, near.sent, far.received, told(far)[:1]

    assert outcome(together=True) == outcome(together=False)


def test_an_owner_that_interprets_is_asked_first() -> None:
    near, far = joined(interprets=True)
    assert not far.plain
    for text in (b"a", b"x"):
        assert near.send_nowait(message(text))
    assert texts(far.inbox) == "A"
    assert (near.sent, far.received) == (2, 1)


def test_a_conflating_end_keeps_the_newest_and_its_receiver_counts_the_rest() -> None:
    near, far = joined(1, conflate=True)
    assert near.room() == math.inf
    near.send_many_nowait(messages("abc"))
    assert texts(far.inbox) == "c"
    assert (near.sent, far.received, far.dropped, near.dropped) == (3, 3, 2, 0)


def test_the_other_ends_inbox_is_the_only_queue() -> None:
    near, far = joined(2)
    assert [near.send_nowait(each) for each in messages("abc")] == [True, True, False]
    assert (near.room(), near.send_capacity()) == (0, 2)
    assert far.room() == 2
    far.inbox.queue.popleft()
    far.inbox.taken()
    assert told(near) == ["writable"]


@pytest.mark.parametrize("refused", [False, True])
def test_taking_tells_only_an_end_that_was_refused(refused: bool) -> None:
    near, far = joined(1)
    near.send_nowait(message(b"a"))
    if refused:
        assert not near.has_room()
    far.inbox.queue.popleft()
    far.inbox.taken()
    assert told(near) == (["writable"] if refused else [])


def test_subscriptions_go_to_the_other_end_and_heartbeats_nowhere() -> None:
    near, far = joined(interprets=True)
    for item in (Subscribe(b"a"), Ping(), Cancel(b"a")):
        near.control(item)
    owner = far.owner
    assert isinstance(owner, Owner)
    assert owner.events == [Subscribe(b"a"), Cancel(b"a")]


def test_no_connection_can_be_ended_or_read() -> None:
    near, far = joined()
    assert not near.inbox.source.hang_up(ValueError())
    assert near.inbox.source.lend() is None
    assert near.send_nowait(message(b"a"))
    assert texts(far.inbox) == "a"


# --- not joined yet ----------------------------------------------------------------------------


def test_what_waits_for_a_name_is_queued_and_not_sent() -> None:
    near, far = gathering(2)
    assert [near.send_nowait(each) for each in messages("abc")] == [True, True, False]
    assert (near.sent, near.queued(), near.messages_queued()) == (0, 2, 2)
    assert texts(far.inbox) == "ab"


def test_what_waits_for_a_name_can_be_withdrawn_and_makes_room() -> None:
    near, _ = gathering(1)
    first = message(b"a")
    near.send_nowait(first)
    assert not near.has_room()
    assert near.withdraw(first)
    assert not near.withdraw(first)
    near.room_made()
    assert told(near) == ["writable"]


def test_what_was_sent_to_a_socket_cannot_be_withdrawn_or_discarded() -> None:
    near, far = joined()
    sent = message(b"a")
    near.send_nowait(sent)
    assert not near.withdraw(sent)
    near.discard()
    assert texts(far.inbox) == "a"
    assert near.dropped == 0


def test_what_waits_for_a_name_is_dropped_with_its_pipe_and_counted() -> None:
    near, far = gathering()
    near.send_many_nowait(messages("ab"))
    near.discard()
    assert (near.dropped, near.queued(), texts(far.inbox)) == (2, 0, "")
    near.discard()
    assert near.dropped == 2


def test_a_subscription_does_not_wait_for_a_name() -> None:
    near, far = gathering()
    near.control(Subscribe(b"a"))
    assert not far.inbox.queue


def test_let_go_it_keeps_no_reference_to_whom_it_talked_to_and_what_arrived_is_kept() -> None:
    near, far = joined()
    near.send_nowait(message(b"a"))
    known = [weakref.ref(near.owner), weakref.ref(far.owner)]
    gc.disable()
    try:
        for pipe in (near, far):
            pipe.let_go()
        del near, pipe
        assert [ref() for ref in known] == [None, None]
    finally:
        gc.enable()
    assert texts(far.inbox) == "a"
    assert not far.send_nowait(message(b"b"))
    assert far.room() == 0


@pytest.mark.parametrize("interprets", [False, True])
def test_an_end_that_stands_in_the_fair_queue_already_is_not_told_again(interprets: bool) -> None:
    near, far = joined(interprets=interprets)
    near.send_nowait(message(b"a"))
    far.inbox.in_round = True
    near.send_nowait(message(b"b"))
    assert told(far) == ["readable"]
