"""Promise 8: every async method can be cancelled in every call, and gives others their turn once in 64 messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from operator import length_hint

import pytest
import trio

import triomq

from .actors import accounted, drain, number, pad, patience, receive_impatiently, send_impatiently
from .promises import promise
from .weather import storm, strike

pytestmark = pytest.mark.virtual_seeds(4)
STATES = ["well", "partition", "pause", "process", "power"]
MANY = 320
LISTED = 1280
TURNS = {False: MANY // 64 - 1, True: MANY - 1}  # the scheduler may have the neighbour's first or last turn outside


@asynccontextmanager
async def neighbour() -> AsyncIterator[list[int]]:
    """Another task that is always ready: how many turns it had, in a list of one."""
    turns = [0]

    async def count() -> None:
        while True:
            await trio.lowlevel.checkpoint()
            turns[0] += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(count)
        await trio.lowlevel.checkpoint()
        turns[0] = 0
        yield turns
        nursery.cancel_scope.cancel()


def spoil(net, state: str) -> None:
    if state == "partition":
        net.partition("a", "b")
    elif state == "pause":
        net.pause("b")
    elif state != "well":
        net.crash("b", how=state)


@promise(8)
@pytest.mark.parametrize("strict", [False, True])
async def test_senders_give_way_whatever_becomes_of_their_peer(net, rough, dice, strict) -> None:
    rough("a", "b")

    async def peer(ctx: triomq.Context) -> None:
        pull, sub = ctx.socket(triomq.PULL), ctx.socket(triomq.SUB, topics=[""])
        await pull.bind("tcp://*:5555")
        sub.connect("tcp://a:6666")
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery, net.open_context("a", strict_checkpoints=strict) as ctx:
        nursery.start_soon(net.run_on, "b", peer)
        push, pub = ctx.socket(triomq.PUSH, send_hwm=0, linger=0), ctx.socket(triomq.PUB, send_hwm=0, linger=0)
        push.connect("tcp://b:5555")
        await pub.bind("tcp://*:6666")
        await pub.wait_subscribers("")
        spoil(net, dice.choice(STATES))
        await trio.sleep(dice.uniform(0, 10))
        for send in (push, pub):
            async with neighbour() as turns:
                for one in range(MANY):
                    await send.send(b"%d" % one)
                assert turns[0] >= TURNS[strict]
            async with neighbour() as turns:
                await send.send_many([b"%d" % one for one in range(LISTED)])
                assert turns[0] >= (LISTED - 1 if strict else LISTED // 256 - 1)
        net.resume("b")
        nursery.cancel_scope.cancel()


@promise(8)
@pytest.mark.parametrize("strict", [False, True])
async def test_receivers_give_way_whatever_becomes_of_their_peer(net, rough, dice, strict) -> None:
    rough("a", "b")

    async def peer(ctx: triomq.Context) -> None:
        push = ctx.socket(triomq.PUSH, linger=0)
        push.connect("tcp://a:5555")
        await push.wait_peers()
        await push.send_many([b"%d" % one for one in range(2 * MANY)])
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery, net.open_context("a", strict_checkpoints=strict) as ctx:
        pull = ctx.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        nursery.start_soon(net.run_on, "b", peer)
        while pull.statistics().messages_received < 2 * MANY:  # noqa: ASYNC110  # nobody tells
            await trio.sleep(0.1)
        spoil(net, dice.choice(STATES))
        await trio.sleep(dice.uniform(0, 10))
        merged = triomq.merge(pull)
        ways: list[Callable[[], Awaitable[triomq.Message]]] = [
            pull.receive,
            pull.__anext__,
            lambda: first(pull.receive_many(1)),
            lambda: second(merged.receive()),
        ]
        received = []
        for receive in dice.sample(ways, 2):
            async with neighbour() as turns:
                for _ in range(MANY):
                    received.append(number(await receive()))
                assert turns[0] >= TURNS[strict]
        assert received == list(range(2 * MANY))
        net.resume("b")
        nursery.cancel_scope.cancel()


async def first(messages: Awaitable[list[triomq.Message]]) -> triomq.Message:
    return (await messages)[0]


async def second(found: Awaitable[tuple[triomq.PULL, triomq.Message]]) -> triomq.Message:
    return (await found)[1]


@promise(8, 1, 2)
@pytest.mark.parametrize("state", STATES)
async def test_a_cancelled_call_of_any_method_does_nothing(net, rough, dice, state) -> None:
    """Each is called in a scope that is cancelled: it raises Cancelled, though it could go on, and nothing changes."""
    rough("a", "b")

    async def peer(ctx: triomq.Context) -> None:
        dealer, rep, sub = ctx.socket(triomq.DEALER), ctx.socket(triomq.REP), ctx.socket(triomq.SUB, topics=[""])
        dealer.connect("tcp://a:5555")
        sub.connect("tcp://a:6666")
        await rep.bind("tcp://*:7777")
        await dealer.send_many([b"1", b"2", b"3"])
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery, net.open_context("a") as ctx:
        dealer, pub, req = ctx.socket(triomq.DEALER), ctx.socket(triomq.XPUB), ctx.socket(triomq.REQ)
        await dealer.bind("tcp://*:5555")
        await pub.bind("tcp://*:6666")
        req.connect("tcp://b:7777")
        nursery.start_soon(net.run_on, "b", peer)
        await dealer.wait_peers()
        await pub.wait_subscribers("")
        await req.wait_peers()
        while dealer.statistics().messages_received < 3:  # noqa: ASYNC110  # nobody tells
            await trio.sleep(0.1)
        spoil(net, state)
        await trio.sleep(dice.uniform(0, 10))
        merged = triomq.merge(dealer)
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: dealer.send(b"x"),
            lambda: dealer.send_many([b"x"]),
            lambda: dealer.receive(),
            lambda: dealer.receive_many(2),
            lambda: dealer.__anext__(),
            lambda: merged.receive(),
            lambda: dealer.wait_peers(0),
            lambda: dealer.bind("tcp://*:8888"),
            lambda: dealer.unbind("tcp://a:5555"),
            lambda: pub.send(b"x"),
            lambda: pub.wait_subscribers("", 0),
            lambda: pub.receive(),
            lambda: req.request(b"x"),
            lambda: req.send(b"x"),
        ]
        for call in dice.sample(calls, len(calls)):
            before = [(*socket.endpoints, accounted(socket), queued(socket)) for socket in (dealer, pub, req)]
            with trio.CancelScope() as scope:
                scope.cancel()
                await call()
            assert scope.cancelled_caught
            assert before == [(*socket.endpoints, accounted(socket), queued(socket)) for socket in (dealer, pub, req)]
        assert [bytes(message) for message in await dealer.receive_many(5)] == [b"1", b"2", b"3"]
        with trio.CancelScope() as scope:
            scope.cancel()
            await dealer.aclose()  # this one does its work
        assert scope.cancelled_caught
        with pytest.raises(trio.ClosedResourceError):
            await dealer.send(b"x")
        net.resume("b")
        nursery.cancel_scope.cancel()


def queued(socket: triomq.Socket) -> int:
    return sum(peer.receive_queue for peer in socket.statistics().peers)


@promise(8, 1, 2, 3)
async def test_strict_contexts_keep_every_other_promise(net, rough, dice) -> None:
    """A pipeline of two stages with a schedule point in every call, cancelled at any of them."""
    rough("a", "b", "c")
    accepted: list[int] = []
    received: list[int] = []
    async with (
        trio.open_nursery() as nursery,
        net.open_context("c", strict_checkpoints=True) as last,
        net.open_context("b", strict_checkpoints=True) as middle,
        net.open_context("a", strict_checkpoints=True) as first_,
    ):
        sink = last.socket(triomq.PULL, receive_hwm=2)
        await sink.bind("tcp://*:5555")
        inlet, outlet = middle.socket(triomq.PULL, receive_hwm=2), middle.socket(triomq.PUSH, send_hwm=2)
        await inlet.bind("tcp://*:5555")
        outlet.connect("tcp://c:5555")
        source = first_.socket(triomq.PUSH, send_hwm=2)
        source.connect("tcp://b:5555")
        for socket in (source, inlet, outlet, sink):
            await socket.wait_peers()

        async def move() -> None:
            held: triomq.Message | None = None
            while True:
                with patience(dice, 0.1):
                    if held is None:
                        held = await inlet.receive()
                    await outlet.send(held)
                    held = None

        nursery.start_soon(move)
        nursery.start_soon(receive_impatiently, sink, dice, received)
        nursery.start_soon(storm, net, dice, "b", ["a", "c"])
        await send_impatiently(source, dice, range(150), accepted, pad(100))
        await trio.sleep(100)
        nursery.cancel_scope.cancel()
    assert 0 < len(accepted) < 150
    assert received == accepted


@promise(8, 1, 2, 3)
async def test_any_calls_in_any_order_each_cancelled_at_any_time(net, rough, dice) -> None:
    """Everything that sends and everything that receives, drawn at random, in bad weather: the books balance."""
    rough("a", "b")
    accepted: list[int] = []
    received: list[int] = []
    async with trio.open_nursery() as nursery, net.open_context("b") as there, net.open_context("a") as here:
        pull = there.socket(triomq.PULL, receive_hwm=dice.choice([1, 4, 100]), receive_buffer=2000)
        await pull.bind("tcp://*:5555")
        push = here.socket(triomq.PUSH, send_hwm=dice.choice([1, 4, 100]), send_buffer=2000)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        await pull.wait_peers()
        merged = triomq.merge(pull)
        nursery.start_soon(strike, net, dice, "a", "b", dice.choice(["partition", "pause"]), 5.0)

        async def send_something() -> None:
            nonlocal following
            way, first = dice.randrange(4), following
            following += 10
            if way == 0:
                await push.send(pad(99)(first))
                accepted.append(first)
            elif way == 1:
                push.send_nowait(pad(99)(first))
                accepted.append(first)
            elif way == 2:
                batch = [*range(first, first + dice.randrange(9))]
                rest = iter([pad(99)(one) for one in batch])
                try:
                    await push.send_many(rest)
                finally:
                    accepted.extend(batch[: len(batch) - length_hint(rest)])
            else:
                await push.wait_peers()

        async def receive_something() -> None:
            way = dice.randrange(5)
            if way == 0:
                received.append(number(await pull.receive()))
            elif way == 1:
                received.append(number(pull.receive_nowait()))
            elif way == 2:
                received.extend(map(number, await pull.receive_many(dice.randrange(1, 9))))
            elif way == 3:
                received.append(number((await merged.receive())[1]))
            else:
                await pull.wait_peers()

        async def loop(something: Callable[[], Awaitable[None]]) -> None:
            for _ in range(200):
                with patience(dice, 0.1):
                    try:
                        await something()
                    except trio.WouldBlock:
                        pass  # an answer like any other
                await trio.sleep(dice.choice([0, 0, 0.01]))

        following = 0
        async with trio.open_nursery() as both:
            both.start_soon(partial(loop, send_something))
            both.start_soon(partial(loop, receive_something))
        received.extend(map(number, await drain(pull)))
        assert accounted(push) == push.statistics().messages_sent == len(accepted)
        nursery.cancel_scope.cancel()
    assert len(accepted) > 10
    assert received == accepted
