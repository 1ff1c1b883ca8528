"""The pipe with an outbox: when its sink is told, and when its owner is."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import pytest

from triomq import zmtp
from triomq._pipes import QueuedPipe, SharedTail
from triomq._pipes._nothing import NOTHING
from triomq.zmtp import Ping, Subscribe

from .roles import PEER, Owner, RecordingSink, message, messages


def attached(limit: float = 100, *, conflate: bool = False) -> tuple[QueuedPipe, RecordingSink]:
    """A pipe with a connection that is idle."""
    pipe, sink = QueuedPipe(Owner(), "tcp://x", limit, 100, conflate=conflate), RecordingSink()
    pipe.sink, pipe.sink_told, pipe.peer = sink, False, PEER
    return pipe, sink


def letters(pipe: QueuedPipe) -> str:
    return b"".join(item[-1] if isinstance(item, tuple) else b"." for item in pipe.outbox.own()).decode()


WAYS: dict[str, tuple[Callable[[QueuedPipe], object], str]] = {
    "send": (lambda pipe: pipe.send_nowait(message(b"a")), "wake"),
    "send later": (lambda pipe: pipe.send_nowait(message(b"a"), False), "wake_later"),
    "send many": (lambda pipe: pipe.send_many_nowait(messages("ab")), "wake"),
    "share": (lambda pipe: pipe.share(SharedTail()), "wake_later"),
    "control": (lambda pipe: pipe.control(Ping()), "wake"),
}
EACH_WAY = pytest.mark.parametrize("way", WAYS)


@EACH_WAY
def test_a_sink_that_knows_of_nothing_is_told(way: str) -> None:
    pipe, sink = attached()
    queue, told = WAYS[way]
    queue(pipe)
    assert sink.told == [told]


@EACH_WAY
def test_a_sink_that_knows_already_is_not_told(way: str) -> None:
    pipe, sink = attached()
    pipe.sink_told = True
    WAYS[way][0](pipe)
    assert sink.told == []


@EACH_WAY
def test_without_a_sink_the_outbox_only_fills(way: str) -> None:
    pipe = QueuedPipe(Owner(), "tcp://x", 100, 100)
    pipe.peer = PEER
    WAYS[way][0](pipe)
    assert pipe.outbox.waiting() == (0 if way == "share" else 2 if way == "send many" else 1)


def test_without_a_peer_there_is_nobody_to_tell_a_subscription() -> None:
    pipe, sink = attached()
    pipe.peer = None
    pipe.control(Subscribe(b"a"))
    assert (sink.told, pipe.queued()) == ([], 0)


# --- room --------------------------------------------------------------------------------------


def test_a_full_pipe_first_asks_its_sink_to_write_and_is_full_only_if_that_makes_no_room() -> None:
    """A peer is full when its connection is, not when a burst is only gathered here."""
    pipe, _ = attached(2)

    class Writes(RecordingSink):
        def flush(self) -> None:
            super().flush()
            pipe.outbox.take(9)

    sink = pipe.sink = Writes()
    pipe.send_many_nowait(messages("ab"))
    assert pipe.send_nowait(message(b"c"))
    assert sink.told == ["wake", "flush", "wake"]
    assert letters(pipe) == "c"
    assert not pipe.owner_waits


def test_once_refused_the_owner_does_not_make_the_sink_try_again() -> None:
    pipe, sink = attached(1)
    pipe.send_nowait(message(b"a"))
    for _ in range(3):
        assert not pipe.send_nowait(message(b"b"))
    assert sink.told == ["wake", "flush"]


def test_a_subscription_takes_no_room() -> None:
    pipe, _ = attached(1)
    for topic in (b"a", b"b"):
        pipe.control(Subscribe(topic))
    assert [pipe.send_nowait(message(b"m")) for _ in range(2)] == [True, False]
    pipe.control(Subscribe(b"c"))
    assert letters(pipe) == "..m."
    assert (pipe.queued(), pipe.messages_queued(), pipe.send_capacity()) == (4, 1, 1)


def test_what_is_half_written_takes_room_until_it_is_whole() -> None:
    pipe, _ = attached(2)
    pipe.send_many_nowait(messages("ab"))
    batch, _ = pipe.outbox.take(9)
    pipe.outbox.set_unsent(len(batch))
    assert not pipe.send_nowait(message(b"c"))
    assert (pipe.queued(), pipe.send_capacity()) == (2, 2)
    pipe.count_sent(batch)
    pipe.outbox.set_unsent(0)
    assert pipe.sent == 2
    assert pipe.send_nowait(message(b"c"))


def test_withdrawn_a_message_makes_room_and_the_owner_is_told_when_asked_for() -> None:
    pipe, _ = attached(1)
    first = message(b"a")
    pipe.send_nowait(first)
    assert not pipe.send_nowait(message(b"b"))
    assert pipe.withdraw(first)
    owner = pipe.owner
    assert isinstance(owner, Owner)
    assert owner.told == []
    pipe.room_made()
    assert owner.told == ["writable"]
    assert not pipe.withdraw(first)


# --- dropping ----------------------------------------------------------------------------------


def test_a_conflating_pipe_keeps_the_newest_message_and_every_subscription() -> None:
    pipe, _ = attached(1, conflate=True)
    for text in (b"a", b"b"):
        assert pipe.send_nowait(message(text))
        pipe.control(Subscribe(b"t"))
    pipe.send_many_nowait(messages("cd"))
    assert letters(pipe) == "..d"
    assert pipe.dropped == 3


def test_a_conflating_pipe_has_room_always() -> None:
    pipe, _ = attached(1, conflate=True)
    pipe.send_nowait(message(b"a"))
    assert pipe.has_room()


def test_what_did_not_leave_whole_is_put_back_and_a_conflating_pipe_counts_what_it_drops_then() -> None:
    for conflate, left, dropped in ((False, "ab", 0), (True, "b", 1)):
        pipe, _ = attached(conflate=conflate)
        pipe.send_nowait(message(b"a"))
        batch, _ = pipe.outbox.take(9)
        pipe.outbox.set_unsent(1)
        pipe.send_nowait(message(b"b"))
        pipe.restore(batch)
        assert (letters(pipe), pipe.dropped) == (left, dropped)


def test_discarded_everything_is_dropped_and_counted_half_written_messages_too() -> None:
    pipe, _ = attached()
    pipe.send_many_nowait(messages("abc"))
    pipe.control(Ping())
    batch, _ = pipe.outbox.take(2)
    pipe.outbox.set_unsent(len(batch))
    tail = SharedTail()
    pipe.share(tail)
    tail.messages.append(zmtp.encode_shared((b"x",)))
    pipe.discard()
    assert (pipe.dropped, pipe.queued()) == (4, 0)
    pipe.discard()
    assert pipe.dropped == 4


# --- letting go --------------------------------------------------------------------------------


def test_let_go_it_keeps_no_reference_to_whom_it_talked_to() -> None:
    """So that a message from it that is still to be received keeps no socket alive. No cycle is to be collected."""
    pipe, sink = attached()
    owner = pipe.owner
    pipe.inbox.source = source = Owner()  # type: ignore[assignment]
    known = [weakref.ref(each) for each in (owner, sink, source)]
    pipe.let_go()
    gc.disable()
    try:
        del owner, sink, source
        assert [ref() for ref in known] == [None] * 3
    finally:
        gc.enable()


def test_a_queue_takes_no_memory_before_there_is_a_message() -> None:
    """An empty deque takes 760 bytes, and a pipe has two."""
    pipe, _ = attached()
    pipe.outbox.take(64)
    pipe.restore([])
    pipe.discard()
    assert pipe.outbox.queue is pipe.inbox.queue is NOTHING
    pipe.send_nowait(message(b"a"))
    pipe.deliver(messages("b"))
    assert letters(pipe) == "a"
    assert list(pipe.inbox.queue) == messages("b")


def test_a_message_of_its_own_follows_what_it_shares_as_the_first_that_it_has() -> None:
    pipe, _ = attached()
    tail = SharedTail()
    pipe.share(tail)
    tail.messages.append(zmtp.encode_shared(message(b"a")))
    pipe.send_nowait(message(b"b"))
    assert not tail.open
    assert [item[-1:] if isinstance(item, bytes) else item[-1] for item in pipe.outbox.own()] == [b"a", b"b"]
