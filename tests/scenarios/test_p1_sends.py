"""Promise 1: a send that was cancelled never happened, one that returned happened whole."""

from __future__ import annotations

from operator import length_hint

import pytest
import trio

import triomq

from .actors import (
    accounted,
    drain,
    number,
    pad,
    receive_impatiently,
    send_impatiently,
)
from .promises import promise
from .weather import storm

pytestmark = pytest.mark.virtual_seeds(4)
SMALL = {"send_buffer": 2000, "receive_buffer": 2000}  # so that queues fill


@promise(1, 2, 3)
async def test_push_to_pull(net, rough, dice) -> None:
    rough("a", "b")
    received: list[int] = []
    accepted: list[int] = []

    async def sender(ctx: triomq.Context) -> None:
        push = ctx.socket(triomq.PUSH, send_hwm=3, linger=600, **SMALL)
        push.connect("tcp://b:5555")
        await send_impatiently(push, dice, range(200), accepted, pad(100))

    async with trio.open_nursery() as nursery, net.open_context("b") as ctx:
        pull = ctx.socket(triomq.PULL, receive_hwm=3, **SMALL)
        await pull.bind("tcp://*:5555")
        nursery.start_soon(receive_impatiently, pull, dice, received)
        await net.run_on("a", sender)
        await trio.sleep(100)
        nursery.cancel_scope.cancel()
    assert 0 < len(accepted) < 200
    assert received == accepted


@promise(1, 2, 3)
async def test_dealer_and_router_both_ways_at_once(net, rough, dice) -> None:
    rough("a", "b")
    asked: list[int] = []
    heard: list[int] = []
    told: list[int] = []
    got: list[int] = []
    async with trio.open_nursery() as nursery, net.open_context("b") as there, net.open_context("a") as here:
        router = there.socket(triomq.ROUTER, router_mandatory=True, hwm=3, **SMALL)
        dealer = here.socket(triomq.DEALER, routing_id=b"d", hwm=3, **SMALL)
        await router.bind("tcp://*:5555")
        dealer.connect("tcp://b:5555")
        await dealer.wait_peers()
        await router.wait_peers()
        nursery.start_soon(receive_impatiently, router, dice, heard)
        nursery.start_soon(receive_impatiently, dealer, dice, got)
        async with trio.open_nursery() as senders:
            senders.start_soon(send_impatiently, dealer, dice, range(100), asked, pad(100))
            senders.start_soon(send_impatiently, router, dice, range(100), told, lambda n: [b"d", pad(100)(n)])
            senders.start_soon(storm, net, dice, "a", "b")
        await trio.sleep(100)
        nursery.cancel_scope.cancel()
    assert 0 < len(asked) < 100
    assert 0 < len(told) < 100
    assert heard == asked
    assert got == told


@promise(1, 2, 3)
async def test_a_pair_both_ways_at_once(net, rough, dice) -> None:
    rough("a", "b")
    accepted: dict[str, list[int]] = {"a": [], "b": []}
    received: dict[str, list[int]] = {"a": [], "b": []}
    async with trio.open_nursery() as nursery, net.open_context("b") as there, net.open_context("a") as here:
        ends = {"a": here.socket(triomq.PAIR, hwm=2, **SMALL), "b": there.socket(triomq.PAIR, hwm=2, **SMALL)}
        await ends["b"].bind("tcp://*:5555")
        ends["a"].connect("tcp://b:5555")
        for end in ends.values():
            await end.wait_peers()
        async with trio.open_nursery() as senders:
            for name, end in ends.items():
                nursery.start_soon(receive_impatiently, end, dice, received[name])
                senders.start_soon(send_impatiently, end, dice, range(100), accepted[name], pad(200))
            senders.start_soon(storm, net, dice, "b", "a")
        await trio.sleep(100)
        nursery.cancel_scope.cancel()
    assert 0 < len(accepted["a"]) < 100
    assert received == {"a": accepted["b"], "b": accepted["a"]}


@promise(1, 3)
async def test_a_cancelled_send_many_stands_where_to_go_on(net, rough, dice) -> None:
    """Of a list's iterator nothing is taken that was not accepted: going on from there skips and repeats nothing."""
    rough("a", "b")
    received: list[int] = []
    cancelled = 0
    async with trio.open_nursery() as nursery, net.open_context("b") as there, net.open_context("a") as here:
        pull = there.socket(triomq.PULL, receive_hwm=3, **SMALL)
        await pull.bind("tcp://*:5555")
        push = here.socket(triomq.PUSH, send_hwm=3, **SMALL)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        await pull.wait_peers()
        nursery.start_soon(receive_impatiently, pull, dice, received)
        nursery.start_soon(storm, net, dice, "a", "b")
        iterator = iter([pad(200)(n) for n in range(200)])
        while length_hint(iterator):
            with trio.move_on_after(dice.choice([0, 0.01, 0.3])) as scope:
                await push.send_many(iterator)
            cancelled += scope.cancelled_caught
            assert accounted(push) == 200 - length_hint(iterator)
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    assert cancelled
    assert received == list(range(200))


@promise(1, 2, 4)
async def test_a_publisher_that_waits_publishes_to_all_or_nobody(net, rough, dice) -> None:
    """With xpub_nodrop a full subscriber holds the message back from the others too; cancelled, it goes to none."""
    rough("pub", "s0", "s1", "s2")
    accepted: list[int] = []
    received: dict[str, list[int]] = {name: [] for name in ("s0", "s1", "s2")}

    async def subscriber(ctx: triomq.Context, name: str) -> None:
        sub = ctx.socket(triomq.SUB, topics=[""], receive_hwm=2, **SMALL)
        sub.connect("tcp://pub:5555")
        await receive_impatiently(sub, dice, received[name])

    async with trio.open_nursery() as nursery, net.open_context("pub") as ctx:
        pub = ctx.socket(triomq.PUB, xpub_nodrop=True, send_hwm=2, **SMALL)
        await pub.bind("tcp://*:5555")
        for name in received:
            nursery.start_soon(net.run_on, name, subscriber, name)
        await pub.wait_subscribers("", 3)
        nursery.start_soon(storm, net, dice, "pub", list(received))
        await send_impatiently(pub, dice, range(100), accepted, pad(200))
        await trio.sleep(100)
        nursery.cancel_scope.cancel()
    assert 0 < len(accepted) < 100
    assert received == dict.fromkeys(received, accepted)


@promise(1, 5)
async def test_a_request_that_was_given_up_before_it_left_is_never_seen(net, rough, dice) -> None:
    rough("client", "server")
    seen: list[bytes] = []

    async def serve(ctx: triomq.Context) -> None:
        rep = ctx.socket(triomq.REP)
        await rep.bind("tcp://*:5555")
        while True:
            seen.extend(await rep.receive())
            await rep.send(b"yes")

    async with trio.open_nursery() as nursery, net.open_context("client") as ctx:
        req = ctx.socket(triomq.REQ, reconnect_interval_max=1.0, linger=0)
        req.connect("tcp://server:5555")
        nursery.start_soon(net.run_on, "server", serve)
        wanted = []
        for round_ in range(5):
            net.crash("server", how="process")
            while req.peers:  # noqa: ASYNC110  # until that is known
                await trio.sleep(0.1)
            for _ in range(dice.randrange(1, 4)):
                with trio.move_on_after(dice.choice([0, 0.01, 3])):
                    await req.request(b"given up")
            net.restart("server")
            wanted.append(b"wanted %d" % round_)
            assert await req.request(wanted[-1]) == (b"yes",)
        nursery.cancel_scope.cancel()
    assert seen == wanted


@promise(1, 3, 5)
async def test_inproc_whose_name_is_given_up_and_bound_again(net, dice) -> None:
    accepted: list[int] = []
    received: list[int] = []
    async with trio.open_nursery() as nursery, net.open_context("a") as ctx:
        pull = ctx.socket(triomq.PULL, receive_hwm=2)
        push = ctx.socket(triomq.PUSH, send_hwm=2)
        push.connect("inproc://x")

        async def come_and_go() -> None:
            while True:
                await trio.sleep(dice.uniform(0, 0.5))
                await pull.bind("inproc://x")
                await trio.sleep(dice.uniform(0, 0.5))
                await pull.unbind("inproc://x")

        nursery.start_soon(come_and_go)
        nursery.start_soon(receive_impatiently, pull, dice, received)
        await send_impatiently(push, dice, range(300), accepted, pad(1))
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    assert 0 < len(accepted) < 300
    assert received == accepted


@promise(1, 9)
async def test_many_tasks_blocked_on_a_paused_peer_and_some_give_up(net, dice) -> None:
    """Those that returned are accepted, in the order they came; those that gave up are gone without a gap."""
    net.link("a", "b", send_buffer=500, receive_buffer=500)
    accepted: list[int] = []
    async with net.open_context("b") as there, net.open_context("a") as here:
        pull = there.socket(triomq.PULL, receive_hwm=1)
        await pull.bind("tcp://*:5555")
        push = here.socket(triomq.PUSH, send_hwm=3)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        net.pause("b")

        async def send(one: int, patience: float) -> None:
            with trio.move_on_after(patience):
                await push.send(pad(100)(one))
                accepted.append(one)

        async with trio.open_nursery() as nursery:
            for one in range(60):
                nursery.start_soon(send, one, dice.choice([1.0, 1000.0]))
                await trio.sleep(0.001)
            await trio.sleep(dice.uniform(2, 20))
            assert push.statistics().tasks_waiting_send == nursery_size(nursery)
            net.resume("b")
            received = list(map(number, await drain(pull)))
        assert 10 < len(accepted) < 60
        assert received == sorted(accepted)  # who is woken when is the scheduler's to say


def nursery_size(nursery: trio.Nursery) -> int:
    return len(nursery.child_tasks)
