"""The calls of blocking handles, cancelled at each moment in which their task yields: nothing is lost, nothing doubled.

The threads are real, so time is, too. A cancelled call ends as `trio.Cancelled` in its thread, and comes out of the
task that awaits the thread.
"""

from __future__ import annotations

import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import trio
from trio.lowlevel import checkpoint

import triomq

from .kit import FLOWS, Flow, cancel_at

MOST_YIELDS = 12
END_OF_TEST = 60.0  # seconds
BLOCKING_FLOWS = [flow for flow in FLOWS if flow.waits and not flow.before]


@pytest.fixture(autouse=True)
async def bounded() -> AsyncIterator[None]:
    with trio.fail_after(END_OF_TEST):
        yield


async def at_each_yield(call: Callable[[], Awaitable[Any]], settle: Callable[[bool, Any], Awaitable[None]]) -> None:
    """Cancel a call at each of its yields, and as it is woken from each; ``settle`` is told what became of it."""
    cancelled = completed = 0
    for woken in (False, True):
        for at in range(MOST_YIELDS):
            outcome = await cancel_at(at, call, woken=woken)
            assert outcome.yields < MOST_YIELDS
            cancelled += outcome.cancelled
            completed += not outcome.cancelled
            await settle(outcome.cancelled, outcome.value)
    assert cancelled >= 4
    assert completed >= 4


@pytest.mark.parametrize("late", [False, True], ids=["there", "late"])
@pytest.mark.parametrize("many", [False, True], ids=["one", "many"])
@pytest.mark.parametrize("flow", BLOCKING_FLOWS, ids=str)
async def test_receiving(flow: Flow, many: bool, late: bool) -> None:
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        sender, receiver = await flow.open(ctx, "inproc")
        handle = triomq.blocking(receiver)
        expected = 0

        async def receive() -> list[triomq.Message]:
            if late:
                nursery.start_soon(send_when_waited_for)
            else:
                await send()
            if many:
                return await trio.to_thread.run_sync(handle.receive_many, 5)
            return [await trio.to_thread.run_sync(handle.receive)]

        sent = 0

        async def send() -> None:
            nonlocal sent
            with trio.CancelScope(shield=True):
                await sender.send(flow.wrap(b"%d" % sent))
            sent += 1

        async def send_when_waited_for() -> None:
            for _ in range(50):
                if receiver.statistics().tasks_waiting_receive:
                    break
                await checkpoint()
            await send()

        async def settle(cancelled: bool, messages: list[triomq.Message] | None) -> None:
            nonlocal expected
            if messages is None:
                messages = [await receiver.receive()]  # it is still there
            for message in messages:
                assert flow.unwrap(message) == (b"%d" % expected,)
                expected += 1
            assert expected == sent

        await at_each_yield(receive, settle)


@pytest.mark.parametrize("flow", BLOCKING_FLOWS, ids=str)
async def test_sending_to_a_full_peer(flow: Flow) -> None:
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        sender, receiver = await flow.open(ctx, "inproc", hwm=1)
        handle = triomq.blocking(sender)
        accepted: list[bytes] = []
        serial = 0
        room_made = trio.Event()

        async def fill() -> None:
            while True:
                try:
                    sender.send_nowait(flow.wrap(b"fill"))
                except trio.WouldBlock:
                    return
                accepted.append(b"fill")

        async def send() -> bool:
            nonlocal serial, room_made
            serial += 1
            await fill()
            room_made = trio.Event()
            nursery.start_soon(make_room)
            await trio.to_thread.run_sync(handle.send, flow.wrap(b"%d" % serial))
            return True

        async def make_room() -> None:
            for _ in range(50):
                if sender.statistics().tasks_waiting_send:
                    break
                await checkpoint()
            assert flow.unwrap(await receiver.receive()) == (accepted.pop(0),)
            room_made.set()

        async def settle(cancelled: bool, done: bool | None) -> None:
            await room_made.wait()
            if done:
                accepted.append(b"%d" % serial)
            while accepted:  # what was cancelled is not among it
                assert flow.unwrap(await receiver.receive()) == (accepted.pop(0),)
            with pytest.raises(trio.WouldBlock):
                receiver.receive_nowait()

        await at_each_yield(send, settle)


async def test_replying_and_receiving_the_next_request() -> None:
    """A reply is sent once or not at all, and no request is lost."""
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        dealer, rep = ctx.socket(triomq.DEALER), ctx.socket(triomq.REP)
        dealer.connect(await rep.bind("inproc://it"))
        handle = triomq.blocking(rep)
        number = 0

        async def exchange() -> triomq.Message:
            nursery.start_soon(ask_when_replied, number + 1)
            return await trio.to_thread.run_sync(handle.exchange, b"reply to %d" % number)

        async def ask_when_replied(following: int) -> None:
            for _ in range(50):
                if rep.statistics().tasks_waiting_receive:
                    break
                await checkpoint()
            await dealer.send([b"", b"%d" % following])

        async def settle(cancelled: bool, request: triomq.Message | None) -> None:
            nonlocal number
            if cancelled:
                try:
                    await rep.send(b"reply to %d" % number)  # was it sent?
                except triomq.WrongStateError:
                    pass  # it was
            assert await dealer.receive() == (b"", b"reply to %d" % number)
            assert request is None or cancelled is False
            number += 1
            assert (request or await rep.receive()) == (b"%d" % number,)
            with pytest.raises(trio.WouldBlock):
                dealer.receive_nowait()

        await dealer.send([b"", b"0"])
        await rep.receive()
        await at_each_yield(exchange, settle)


@pytest.fixture(params=[5e-3, 1e-6], ids=["usual switches", "quick switches"])
def switch_interval(request: pytest.FixtureRequest) -> Iterator[None]:
    """How long a thread runs before another one may."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(request.param)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("switch_interval")
@pytest.mark.parametrize("seed", range(5))
async def test_workers_that_are_cancelled_at_random(seed: int) -> None:
    """Each message comes once: to a worker that lives, or to one that had it when it was cancelled."""
    rng = random.Random(seed)
    found: list[int] = []
    scopes: set[trio.CancelScope] = set()
    cancelled = 0

    def cancel_one() -> None:
        rng.choice(sorted(scopes, key=id)).cancel()

    def work(handle: triomq.BlockingReceiver[triomq.Message]) -> None:
        for message in handle:
            found.append(int(message.text()))
            if rng.random() < 0.2:
                trio.from_thread.run_sync(cancel_one)

    async def employ(handle: triomq.BlockingReceiver[triomq.Message]) -> None:
        nonlocal cancelled
        while True:
            with trio.CancelScope() as scope:
                scopes.add(scope)
                try:
                    await trio.to_thread.run_sync(work, handle)
                    return
                finally:
                    scopes.discard(scope)
            cancelled += 1

    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        push, pull = ctx.socket(triomq.PUSH, hwm=5), ctx.socket(triomq.PULL, hwm=5)
        push.connect(await pull.bind("inproc://it"))
        handle = triomq.blocking(pull)
        for _ in range(3):
            nursery.start_soon(employ, handle)
        for number in range(300):
            await push.send(b"%d" % number)
        while len(found) < 300:
            await checkpoint()
        handle.stop()
    assert sorted(found) == list(range(300))
    assert cancelled > 10
