"""Any sequence of what happens to pipes, against plain lists: order is kept, nothing is lost, nothing comes twice."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from triomq import Message, zmtp
from triomq._pipes import InprocPipe, QueuedPipe, SharedTail
from triomq.zmtp import Subscribe

from .roles import PEER, Owner, RecordingSink

PIPES = st.integers(0, 1)


class Model:
    """What a queued pipe should be.

    Attributes:
      waiting: what is in the outbox, in order.
      flight: what was taken from it, and is not wholly written.
      arrived: messages that the peer got.
    """

    def __init__(self, pipe: QueuedPipe, hwm: float, *, conflate: bool) -> None:
        self.pipe, self.hwm, self.conflate = pipe, hwm, conflate
        self.waiting: list[Any] = []
        self.flight: list[Any] = []
        self.arrived = 0
        self.dropped = 0
        self.refused = False

    @property
    def room(self) -> float:
        return math.inf if self.conflate else self.hwm - count(self.waiting) - count(self.flight)

    def accept(self, item: Any) -> None:
        if self.conflate and count([item]):
            self.dropped += count(self.waiting)
            self.waiting = [other for other in self.waiting if not count([other])]
        self.waiting.append(item)

    def owner_is_told(self) -> bool:
        """There is room now: whether the owner was waiting for that."""
        told, self.refused = self.refused and self.room > 0, self.refused and self.room <= 0
        return told


def count(items: list[Any]) -> int:
    """How many of the items are messages."""
    return sum(not isinstance(item, Subscribe) for item in items)


class QueuedPipes(RuleBasedStateMachine):
    """Two pipes of one publisher, which share tails now and then."""

    @initialize(hwm=st.sampled_from([1, 2, 3, 7, math.inf]), conflate=st.booleans())
    def begin(self, hwm: float, conflate: bool) -> None:
        self.number = 0
        self.tail = SharedTail()
        self.tail.open = False
        self.models: list[Model] = []
        self.tail_models: list[Model] = []
        for _ in range(2):
            pipe = QueuedPipe(Owner(), "tcp://x", hwm, math.inf, conflate=conflate)
            pipe.peer, pipe.sink = PEER, RecordingSink()
            self.models.append(Model(pipe, hwm, conflate=conflate))
        self.tail_models: list[Model] = []

    def _new(self) -> Message:
        self.number += 1
        return Message([b"%d" % self.number])

    # --- putting in -----------------------------------------------------------------------

    @rule(index=PIPES, at_once=st.booleans())
    def send(self, index: int, at_once: bool) -> None:
        model, item = self.models[index], self._new()
        accepted = model.room > 0
        assert model.pipe.send_nowait(item, at_once) is accepted
        if accepted:
            model.accept(item)
        else:
            model.refused = True

    @rule(index=PIPES, wanted=st.integers(1, 4))
    def send_many(self, index: int, wanted: int) -> None:
        model = self.models[index]
        items = [self._new() for _ in range(int(min(wanted, model.room)))]
        model.pipe.send_many_nowait(items)
        for item in items:
            model.accept(item)

    @rule(index=PIPES)
    def subscribe(self, index: int) -> None:
        model, item = self.models[index], Subscribe(self._new()[0])
        model.pipe.control(item)
        model.accept(item)

    @precondition(lambda self: not self.models[0].conflate)
    @rule()
    def share_a_tail(self) -> None:
        self.tail = SharedTail()
        self.tail_models = [model for model in self.models if model.room > 0]
        for model in self.tail_models:
            model.pipe.share(self.tail)
        self.tail.open = bool(self.tail_models)

    @rule()
    def publish(self) -> None:
        if self.tail.open and all(model.room > 0 for model in self.tail_models):
            item = zmtp.encode_shared(self._new())
            self.tail.messages.append(item)
            for model in self.tail_models:
                model.accept(item)

    # --- taking out -----------------------------------------------------------------------

    @rule(index=PIPES, most=st.integers(1, 4), whole=st.booleans())
    def write(self, index: int, most: int, whole: bool) -> None:
        model = self.models[index]
        if model.flight:
            return  # the connection is busy with the last batch
        outbox = model.pipe.outbox
        batch, pieces = outbox.take(most)
        taken = list(batch)
        assert taken == model.waiting[: len(taken)]
        assert len(taken) > 0 or not model.waiting
        assert len(taken) <= most or all(isinstance(item, bytes) for item in taken)
        if pieces is not batch:
            assert b"".join(pieces) == b"".join(taken)  # type: ignore[arg-type]
        del model.waiting[: len(taken)]
        if whole:
            model.pipe.count_sent(taken)
            model.arrived += count(taken)
        else:
            outbox.set_unsent(len(taken))
            model.flight = taken

    @rule(index=PIPES)
    def write_the_rest(self, index: int) -> None:
        model = self.models[index]
        model.pipe.count_sent(model.flight)
        model.pipe.outbox.set_unsent(0)
        model.arrived += count(model.flight)
        model.flight = []

    @rule(index=PIPES, share=st.floats(0, 1))
    def lose_the_connection(self, index: int, share: float) -> None:
        """Some of the half written messages were whole."""
        model = self.models[index]
        whole = int(share * len(model.flight))
        model.pipe.count_sent(model.flight[:whole])
        model.pipe.restore(model.flight[whole:])
        model.arrived += count(model.flight[:whole])
        back = [item for item in model.flight[whole:] + model.waiting if count([item])]
        if model.conflate and back:
            model.dropped += len(back) - 1
            back = back[-1:]
        model.flight, model.waiting = [], back

    @rule(index=PIPES, place=st.integers(0, 20))
    def withdraw(self, index: int, place: int) -> None:
        model = self.models[index]
        if place < len(model.waiting):
            item = model.waiting[place]
            if isinstance(item, Message):  # only such are ever withdrawn
                assert model.pipe.withdraw(item)
                del model.waiting[place]
        else:
            assert not model.pipe.withdraw(self._new())

    @rule(index=PIPES)
    def discard(self, index: int) -> None:
        model = self.models[index]
        model.pipe.discard()
        model.dropped += count(model.waiting) + count(model.flight)
        model.waiting, model.flight = [], []

    @rule(index=PIPES)
    def room_made(self, index: int) -> None:
        model = self.models[index]
        owner: Any = model.pipe.owner
        owner.told.clear()
        model.pipe.room_made()
        assert owner.told == (["writable"] if model.owner_is_told() else [])

    # --- always ---------------------------------------------------------------------------

    @invariant()
    def counts_are_right(self) -> None:
        for model in getattr(self, "models", ()):
            pipe = model.pipe
            assert pipe.room() == model.room
            assert pipe.queued() == len(model.waiting) + len(model.flight)
            assert pipe.messages_queued() == count(model.waiting) + count(model.flight)
            assert pipe.send_capacity() == (math.inf if model.conflate else model.hwm)
            assert (pipe.sent, pipe.dropped) == (model.arrived, model.dropped)
            assert pipe.owner_waits is model.refused
            assert pipe.owner.lost == model.dropped  # type: ignore[attr-defined]

    def teardown(self) -> None:
        for model in getattr(self, "models", ()):
            assert list(model.pipe.outbox.own()) == model.waiting


class InprocPipes(RuleBasedStateMachine):
    """Both ends of an inproc connection, each sending and receiving."""

    @initialize(limits=st.tuples(st.sampled_from([1, 2, 5, math.inf]), st.sampled_from([1, 3])))
    def begin(self, limits: tuple[float, float]) -> None:
        self.number = 0
        self.ends = [InprocPipe(Owner(), "inproc://x", limit, conflate=False) for limit in limits]
        one, two = self.ends
        for end, other in ((one, two), (two, one)):
            end.other, end.joined, end.peer, end.inbox.source = other, True, PEER, other
        self.way: list[list[bytes]] = [[], []]  # towards each end
        self.sent = [0, 0]
        self.refused = [False, False]

    @rule(index=PIPES)
    def send(self, index: int) -> None:
        self.number += 1
        text = b"%d" % self.number
        other = 1 - index
        accepted = len(self.way[other]) < self.ends[other].inbox.limit
        assert self.ends[index].send_nowait((text,)) is accepted
        if accepted:
            self.way[other].append(text)
            self.sent[index] += 1
        else:
            self.refused[index] = True

    @rule(index=PIPES, most=st.integers(1, 4))
    def receive(self, index: int, most: int) -> None:
        inbox = self.ends[index].inbox
        owner: Any = self.ends[1 - index].owner
        for _ in range(min(most, len(inbox.queue))):
            owner.told.clear()
            assert b"".join(inbox.queue.popleft()) == self.way[index].pop(0)
            inbox.taken()
            assert ("writable" in owner.told) is self.refused[1 - index]
            self.refused[1 - index] = False

    @invariant()
    def counts_are_right(self) -> None:
        for index, end in enumerate(getattr(self, "ends", ())):
            assert [b"".join(each) for each in end.inbox.queue] == self.way[index]
            assert end.sent == self.sent[index]
            assert end.received == self.sent[1 - index]
            assert end.owner_waits is self.refused[index]
            assert end.room() == end.other.inbox.limit - len(self.way[1 - index])


# Hypothesis counts examples and steps by itself; these are enough to find each planted fault that was tried.
QueuedPipes.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
InprocPipes.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestQueuedPipes = QueuedPipes.TestCase
TestInprocPipes = InprocPipes.TestCase
