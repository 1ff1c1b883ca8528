"""What waits for a connection: bounded, in order, and put back when the connection breaks."""

from __future__ import annotations

import pytest

import triomq
from triomq import zmtp
from triomq._pipes import Pipe, SharedTail

from ..patterns.pipes import Owner, written

ONE, TWO, THREE, FOUR = ((b"%d" % number,) for number in range(1, 5))


def test_a_full_one_refuses_and_tells_when_there_is_room() -> None:
    """Once, and only to who was refused."""
    told: list[Pipe] = []
    pipe = Owner(writable=told.append).pipe(send_hwm=2)
    assert [pipe.send_nowait(message) for message in (ONE, TWO, THREE)] == [True, True, False]
    assert (pipe.has_room(), pipe.room(), pipe.queued()) == (False, 0, 2)
    assert told == []
    assert written(pipe, 1) == [ONE]
    assert told == [pipe]
    assert written(pipe, 1) == [TWO]
    assert told == [pipe]


def test_what_is_half_written_still_counts_against_the_hwm() -> None:
    pipe = Owner().pipe(send_hwm=3)
    pipe.send_many_nowait([ONE, TWO])
    pipe.take(2)
    pipe.set_unsent(2)
    assert (pipe.room(), pipe.queued(), pipe.send_capacity()) == (1, 2, 3)
    assert [pipe.send_nowait(message) for message in (THREE, FOUR)] == [True, False]


def test_what_did_not_reach_the_peer_goes_back_to_the_head() -> None:
    """But for subscriptions and heartbeats, which were for that peer alone."""
    pipe = Owner().pipe()
    pipe.send_nowait(ONE)
    pipe.control(zmtp.Subscribe(b"topic"))
    pipe.send_nowait(TWO)
    batch, _ = pipe.take(2)
    pipe.set_unsent(len(batch))
    pipe.control(zmtp.Ping(0, b""))
    pipe.send_nowait(THREE)
    pipe.restore(batch)
    assert (pipe.queued(), pipe.messages_queued()) == (3, 3)
    assert written(pipe, 10) == [ONE, TWO, THREE]
    assert pipe.sent == 3


def test_without_a_peer_nothing_is_told_to_one() -> None:
    pipe = Owner().pipe()
    pipe.peer = None
    pipe.control(zmtp.Subscribe(b"topic"))
    assert pipe.queued() == 0


@pytest.mark.parametrize(("taken", "left"), [(0, [ONE, THREE]), (2, [THREE])])
def test_a_message_can_be_withdrawn_until_it_has_left(taken: int, left: list[tuple[bytes, ...]]) -> None:
    """That very message: not another that looks the same."""
    pipe = Owner().pipe()
    pipe.send_many_nowait([ONE, TWO, THREE])
    written(pipe, taken)
    assert not pipe.withdraw((b"2",))
    assert pipe.withdraw(TWO) == (not taken)
    assert written(pipe, 10) == left


def test_conflation_keeps_the_newest_in_both_directions() -> None:
    """What is replaced counts as dropped; subscriptions are not replaced."""
    pipe = Owner().pipe(conflate=True)
    pipe.control(zmtp.Subscribe(b"topic"))
    for message in (ONE, TWO, THREE):
        assert pipe.send_nowait(message)
    assert written(pipe, 10) == [zmtp.Subscribe(b"topic"), THREE]
    assert (pipe.sent, pipe.dropped) == (1, 2)
    pipe.deliver([triomq.Message(message) for message in (ONE, TWO)])
    pipe.deliver([triomq.Message(THREE)])
    assert list(pipe.inbox) == [THREE]
    assert (pipe.received, pipe.dropped) == (3, 4)


def test_what_is_discarded_is_counted() -> None:
    pipe = Owner().pipe()
    pipe.send_many_nowait([ONE, TWO])
    pipe.control(zmtp.Subscribe(b"topic"))
    pipe.discard()
    assert (pipe.queued(), pipe.dropped) == (0, 2)


def test_the_order_is_kept_whoever_shares_what() -> None:
    """Messages for one alone, for both, and for one again."""
    one, other = Owner().pipe(), Owner().pipe()
    encoded = [zmtp.encode_shared((b"%d" % number,)) for number in range(6)]
    one.send_nowait(encoded[0])
    shared = SharedTail()
    for pipe in (one, other):
        pipe.share(shared)
    shared.messages += encoded[1:3]
    one.send_nowait(encoded[3])
    assert not shared.open
    again = SharedTail()
    for pipe in (one, other):
        pipe.share(again)
    again.messages.append(encoded[4])
    other.send_nowait(encoded[5])
    assert (one.queued(), other.queued()) == (5, 4)
    assert b"".join(written(one, 10)) == b"".join(encoded[:5])
    assert b"".join(written(other, 10)) == b"".join((*encoded[1:3], *encoded[4:]))
    assert shared.messages == again.messages == []
