"""Sends and receives cancelled at random, under load, from several tasks: C1 to C6 of the cancellation contract."""

from __future__ import annotations

import random
from operator import length_hint

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

import triomq
from triomq.testing import VirtualNetwork

from .kit import FLOWS, SCHEMES, Book, Chaos, Flow, examples, run


class Load:
    """Several tasks that send through one socket, and several that receive from another."""

    def __init__(self, flow: Flow, sender: object, receiver: object, chaos: Chaos, senders: int, each: int) -> None:
        self.flow = flow
        self.sender: triomq.PUSH = sender  # type: ignore[assignment]
        self.receiver: triomq.PULL = receiver  # type: ignore[assignment]
        self.chaos = chaos
        self.book = Book()
        self.each = each
        self.sending = senders
        self.done = trio.Event()

    def settle(self) -> None:
        if not self.sending and len(self.book.received) >= len(self.book.accepted):
            self.done.set()

    async def send(self, who: int) -> None:
        serial = 0
        while serial < self.each:
            way = self.chaos.random.choice(("send", "send", "nowait", "many" if self.flow.many else "send"))
            serial = await getattr(self, f"_{way}")(who, serial)
        self.sending -= 1
        self.settle()

    async def _send(self, who: int, serial: int) -> int:
        message = self.flow.wrap(*self.book.frames(who, serial))
        with self.chaos.scope() as scope:
            await self.sender.send(message)
        (self.book.given_up if scope.cancelled_caught else self.book.accepted).add((who, serial))
        return serial + 1

    async def _nowait(self, who: int, serial: int) -> int:
        try:
            self.sender.send_nowait(self.flow.wrap(*self.book.frames(who, serial)))
        except trio.WouldBlock:
            self.book.given_up.add((who, serial))
        else:
            self.book.accepted.add((who, serial))
        return serial + 1

    async def _many(self, who: int, serial: int) -> int:
        serials = range(serial, serial + 5)
        messages = iter([self.flow.wrap(*self.book.frames(who, one)) for one in serials])
        with self.chaos.scope():
            await self.sender.send_many(messages)
        accepted = serials[: len(serials) - length_hint(messages)]
        self.book.accepted.update((who, one) for one in accepted)
        return serial + len(accepted)

    async def receive(self, who: int) -> None:
        while True:
            messages: list[triomq.Message] = []
            with self.chaos.scope():
                messages = await self._take(self.chaos.random.choice(("receive", "receive", "many", "nowait")))
            for message in messages:
                self.book.note(self.flow.unwrap(message), who)
            self.settle()

    async def _take(self, way: str) -> list[triomq.Message]:
        if way == "many":
            return await self.receiver.receive_many(self.chaos.random.randint(1, 4))
        if way == "nowait":
            await trio.lowlevel.checkpoint()
            try:
                return [self.receiver.receive_nowait()]
            except trio.WouldBlock:
                pass
        return [await self.receiver.receive()]


async def under_load(
    net: VirtualNetwork, flow: Flow, scheme: str, seed: int, senders: int, receivers: int, each: int, rounds: int
) -> None:
    chaos = Chaos(random.Random(seed), rounds)
    async with net.open_context() as ctx:
        sender, receiver = await flow.open(ctx, scheme, hwm=1 + seed % 3)
        before = sender.statistics().messages_sent, receiver.statistics().messages_received
        load = Load(flow, sender, receiver, chaos, senders, each)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(chaos.run)
            for who in range(receivers):
                nursery.start_soon(load.receive, who)
            for who in range(senders):
                nursery.start_soon(load.send, who)
            await load.done.wait()
            nursery.cancel_scope.cancel()
        load.book.check()
        with pytest.raises(trio.WouldBlock):
            receiver.receive_nowait()
        ours, theirs = sender.statistics(), receiver.statistics()
        assert ours.messages_sent - before[0] == theirs.messages_received - before[1] == len(load.book.accepted)
        assert ours.messages_dropped == theirs.messages_dropped == 0
        assert ours.tasks_waiting_send == theirs.tasks_waiting_receive == 0
        assert [peer.send_queue for peer in ours.peers] == [peer.receive_queue for peer in theirs.peers] == [0]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_what_was_sent_is_received_exactly_once_in_order_and_whole(flow: Flow, scheme: str) -> None:
    """C1 to C4, C6: accepted messages arrive once, whole, in each sender's order; cancelled ones never."""

    @examples(10)
    @given(seed=st.integers(0, 2**32 - 1), senders=st.integers(1, 3), receivers=st.integers(1, 3))
    def try_it(seed: int, senders: int, receivers: int) -> None:
        run(under_load, flow, scheme, seed, senders, receivers, 30, 120, scheme=scheme, seed=seed)

    try_it()


async def crowd(net: VirtualNetwork, flow: Flow, scheme: str, seed: int) -> None:
    rng = random.Random(seed)
    got: list[int] = []
    scopes = [trio.CancelScope() for _ in range(100)]

    async def receive(scope: trio.CancelScope) -> None:
        with scope:
            got.append(int(flow.unwrap(await receiver.receive())[0]))

    async with net.open_context() as ctx:
        sender, receiver = await flow.open(ctx, scheme, hwm=0)
        async with trio.open_nursery() as nursery:
            for scope in scopes:
                nursery.start_soon(receive, scope)
            await trio.testing.wait_all_tasks_blocked()
            actions = [scope.cancel for scope in scopes[::2]] + [None] * 50
            rng.shuffle(actions)
            number = 0
            for cancel in actions:
                if cancel is not None:
                    cancel()
                else:
                    await sender.send(flow.wrap(b"%d" % number))
                    number += 1
                if rng.random() < 0.3:
                    await trio.lowlevel.checkpoint()
            await trio.testing.wait_all_tasks_blocked()
            statistics = receiver.statistics()
            waiting, queued = statistics.tasks_waiting_receive, statistics.peers[0].receive_queue
            assert not (waiting and queued), "a task waits although there is a message"
            assert len(got) + queued == 50
            for extra in range(waiting):
                await sender.send(flow.wrap(b"%d" % (50 + extra)))
        while queued:
            got.append(int(flow.unwrap(receiver.receive_nowait())[0]))
            queued -= 1
        assert sorted(got) == list(range(50 + waiting))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("flow", FLOWS[:4], ids=str)
def test_a_hundred_receivers_of_which_fifty_are_cancelled_while_fifty_messages_arrive(flow: Flow, scheme: str) -> None:
    """C6: nobody is stuck while there is a message, and no message is left behind."""

    @examples(10)
    @given(seed=st.integers(0, 2**32 - 1))
    def try_it(seed: int) -> None:
        run(crowd, flow, scheme, seed, scheme=scheme, seed=seed)

    try_it()


async def queue_for_room(net: VirtualNetwork, flow: Flow, scheme: str, seed: int) -> None:
    rng = random.Random(seed)
    returned: list[int] = []
    scopes = [trio.CancelScope() for _ in range(40)]

    async def send(number: int) -> None:
        with scopes[number]:
            await sender.send(flow.wrap(b"%d" % number, bytes(100)))
            returned.append(number)

    async with net.open_context() as ctx:
        sender, receiver = await flow.open(ctx, scheme, hwm=1)
        async with trio.open_nursery() as nursery:
            for number in range(40):
                nursery.start_soon(send, number)
            await trio.testing.wait_all_tasks_blocked()
            doomed = rng.sample(range(40), 20)
            for number in doomed:
                scopes[number].cancel()
                if rng.random() < 0.5:
                    await trio.lowlevel.checkpoint()
            got = []
            while len(got) < len(returned) or nursery.child_tasks:
                with trio.move_on_after(1):
                    got.append(int(flow.unwrap(await receiver.receive())[0]))
        assert sorted(got) == sorted(returned)
        assert len(returned) >= 20
        with pytest.raises(trio.WouldBlock):
            receiver.receive_nowait()


@pytest.mark.parametrize("scheme", ["inproc", "narrow"])
@pytest.mark.parametrize("flow", [flow for flow in FLOWS if flow.waits], ids=str)
def test_forty_senders_of_which_twenty_are_cancelled_while_they_wait_for_room(flow: Flow, scheme: str) -> None:
    """C1, C6: whoever stays gets the slot; whoever was cancelled sent nothing."""

    @examples(10)
    @given(seed=st.integers(0, 2**32 - 1))
    def try_it(seed: int) -> None:
        run(queue_for_room, flow, scheme, seed, scheme=scheme, seed=seed)

    try_it()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_at_the_deadline_there_is_either_the_message_or_the_timeout(flow: Flow, scheme: str) -> None:
    """C8: a timeout that comes at the very moment of the message takes nothing with it."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            sender, receiver = await flow.open(ctx, scheme, hwm=0)
            got = []

            async def receive() -> None:
                while len(got) < 50:
                    with trio.move_on_after(1):  # each time together with a message
                        got.append(int(flow.unwrap(await receiver.receive())[0]))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(receive)
                for number in range(50):
                    await trio.sleep(1)
                    await sender.send(flow.wrap(b"%d" % number))
            assert got == list(range(50))

    run(main, scheme=scheme)
