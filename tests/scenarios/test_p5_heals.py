"""Promise 5: in whatever order things start, die and come back, all heals by itself, and queues are kept."""

from __future__ import annotations

import pytest
import trio

import triomq

from .actors import (
    assert_followed,
    bound_pull,
    drain,
    follow,
    number,
    publish,
    receive_into,
)
from .promises import promise
from .weather import storm

pytestmark = pytest.mark.virtual_seeds(4)


@promise(5, 3)
@pytest.mark.parametrize("how", ["power", "process"])
async def test_the_connecting_side_keeps_its_queue(net, rough, dice, how) -> None:
    """Connect before bind, the binder dies and comes back: what was queued and not written arrives."""
    rough("a", "b")
    received: list[int] = []
    async with trio.open_nursery() as nursery, net.open_context("a") as ctx:
        push = ctx.socket(triomq.PUSH, heartbeat_interval=3.0)
        push.connect("tcp://b:5555")
        await push.send_many(b"%d" % one for one in range(100))
        await trio.sleep(dice.uniform(0, 300))
        nursery.start_soon(net.run_on, "b", bound_pull, received)
        await trio.sleep(60)
        assert received == list(range(100))
        net.crash("b", how=how)
        await trio.sleep(300)  # the peer is known to be gone: nothing is written meanwhile
        await push.send_many(b"%d" % one for one in range(100, 200))
        net.restart("b")
        await trio.sleep(60)
        assert received == list(range(200))
        nursery.cancel_scope.cancel()


@promise(5)
async def test_a_binding_pusher_that_restarts_is_found_again(net, dice) -> None:
    received: list[int] = []

    async def vent(ctx: triomq.Context) -> None:
        push = ctx.socket(triomq.PUSH)
        await push.bind("tcp://*:5555")
        await push.wait_peers()
        for one in range(10):
            await push.send(b"%d" % one)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery, net.open_context("w") as ctx:
        pull = ctx.socket(triomq.PULL, reconnect_interval_max=2.0)
        pull.connect("tcp://vent:5555")
        nursery.start_soon(receive_into, pull, received)
        nursery.start_soon(net.run_on, "vent", vent)
        for _ in range(4):
            await trio.sleep(dice.uniform(10, 20))
            net.crash("vent", how="process")
            await trio.sleep(dice.uniform(0, 100))
            net.restart("vent")
        await trio.sleep(30)
        nursery.cancel_scope.cancel()
    assert received == list(range(10)) * 5


@promise(5)
async def test_a_mesh_started_and_killed_in_any_order(net, rough, dice) -> None:
    """Three hosts, each bound and connected to all others; once nobody dies any more, everybody hears everybody."""
    names = [f"h{one}" for one in range(3)]
    rough(*names)
    heard: dict[str, dict[bytes, float]] = {name: {} for name in names}

    async def member(ctx: triomq.Context, name: str) -> None:
        quick = {"heartbeat_interval": 2.0, "handshake_timeout": 5.0, "connect_timeout": 3.0}
        inlet = ctx.socket(triomq.PULL, **quick)
        await inlet.bind("tcp://*:5555")
        outlets = [ctx.socket(triomq.PUSH, reconnect_interval_max=2.0, **quick) for _ in names[1:]]
        for outlet, other in zip(outlets, [one for one in names if one != name], strict=True):
            outlet.connect(f"tcp://{other}:5555")

        async def speak() -> None:
            while True:
                for outlet in outlets:
                    try:
                        outlet.send_nowait(name.encode())
                    except trio.WouldBlock:
                        pass  # a full queue shall not hold up the others
                await trio.sleep(1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(speak)
            async for message in inlet:
                heard[name][bytes(message)] = trio.current_time()

    async with trio.open_nursery() as nursery:
        for name in dice.sample(names, len(names)):
            nursery.start_soon(net.run_on, name, member, name)
            await trio.sleep(dice.uniform(0, 10))
        faults = ["power", "process", "reset", "partition", "pause", "black hole"]
        for _ in range(5):
            await storm(net, dice, *dice.sample(names, 2), faults=faults, times=1)
        await trio.sleep(20)
        end = trio.current_time()
        nursery.cancel_scope.cancel()
    for name in names:
        assert set(heard[name]) == {one.encode() for one in names if one != name}
        assert min(heard[name].values()) > end - 5


@promise(5, 3)
async def test_after_a_partition_everybody_is_subscribed_again(net, rough, dice) -> None:
    names = [f"s{one}" for one in range(3)]
    rough("pub", *names)
    seen: dict[str, list[tuple[float, int]]] = {name: [] for name in names}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "pub", publish, 1.0)
        for name in names:
            nursery.start_soon(net.run_on, name, follow, seen[name])
        await trio.sleep(20)
        cut_off = set(dice.sample(names, 2))
        net.partition(cut_off)
        await trio.sleep(40)
        net.heal()
        healed = trio.current_time()
        await trio.sleep(20)
        nursery.cancel_scope.cancel()
    for name in names:
        assert_followed(seen[name], healed + 12)
        during = [time for when, time in seen[name] if healed - 30 < when < healed]
        assert bool(during) is (name not in cut_off)


@promise(5, 3)
@pytest.mark.parametrize("how", ["power", "process"])
async def test_a_publisher_that_restarts_finds_its_subscribers(net, rough, dice, how) -> None:
    rough("pub", "s0", "s1")
    seen: dict[str, list[tuple[float, int]]] = {"s0": [], "s1": []}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "pub", publish, 0.6)
        for name in seen:
            nursery.start_soon(net.run_on, name, follow, seen[name])
        await trio.sleep(10)
        net.crash("pub", how=how)
        await trio.sleep(dice.uniform(0, 60))
        net.restart("pub")
        restarted = trio.current_time()
        await trio.sleep(20)
        nursery.cancel_scope.cancel()
    for numbers in seen.values():
        assert_followed(numbers, restarted + 12)


@promise(5)
async def test_subscriptions_changed_while_cut_off_hold_afterwards(net, rough, dice) -> None:
    """What is subscribed and unsubscribed during a fault is what the publisher knows when it is over."""
    rough("pub", "sub")
    topics = [b"a", b"b", b"c", b"d"]

    async def publisher(ctx: triomq.Context) -> None:
        pub = ctx.socket(triomq.XPUB, heartbeat_interval=1.0)
        await pub.bind("tcp://*:5555")
        while True:
            for topic in topics:
                await pub.send([topic, b"%f" % trio.current_time()])
            await trio.sleep(1)

    async with trio.open_nursery() as nursery, net.open_context("sub") as ctx:
        nursery.start_soon(net.run_on, "pub", publisher)
        sub = ctx.socket(triomq.SUB, heartbeat_interval=1.0, reconnect_interval_max=1.0)
        sub.connect("tcp://pub:5555")
        wanted: dict[bytes, int] = dict.fromkeys(topics, 0)
        for _ in range(4):
            fault = dice.choice(["power", "process", "reset", "partition", "black hole"])
            async with trio.open_nursery() as meanwhile:
                meanwhile.start_soon(lambda fault=fault: storm(net, dice, "sub", "pub", faults=[fault], times=1))
                for _ in range(6):
                    topic = dice.choice(topics)
                    if wanted[topic] and dice.random() < 0.5:
                        sub.unsubscribe(topic)
                        wanted[topic] -= 1
                    else:
                        sub.subscribe(topic)
                        wanted[topic] += 1
                    await trio.sleep(dice.uniform(0, 2))
            await trio.sleep(20)
            await drain_now(sub)
            settled = trio.current_time()
            await trio.sleep(10)
            heard = {topic for topic, time in await drain_now(sub) if float(time) > settled}
            assert heard == {topic for topic, count in wanted.items() if count}
        nursery.cancel_scope.cancel()


async def drain_now(socket: triomq.SUB) -> list[triomq.Message]:
    return await drain(socket, quiet=0.001)


@promise(5, 4)
async def test_an_xpub_is_told_who_has_gone_and_who_is_back(net, rough, dice) -> None:
    """The first subscription and the last cancellation, also of those who had no time to cancel."""
    names = ["s0", "s1"]
    rough("pub", *names)

    async def subscriber(ctx: triomq.Context) -> None:
        sub = ctx.socket(triomq.SUB, topics=["t"], heartbeat_interval=3.0, reconnect_interval_max=1.0)
        sub.connect("tcp://pub:5555")
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery, net.open_context("pub") as ctx:
        xpub = ctx.socket(triomq.XPUB, heartbeat_interval=3.0)
        await xpub.bind("tcp://*:5555")
        for name in names:
            nursery.start_soon(net.run_on, name, subscriber)
        await xpub.wait_subscribers("t", 2)
        assert await drain(xpub, quiet=1) == [(b"\1t",)]
        for _ in range(3):
            net.crash(names[0], how=dice.choice(["power", "process"]))
            await trio.sleep(20)
            assert await drain(xpub, quiet=1) == []  # the other one is there
            net.crash(names[1], how=dice.choice(["power", "process"]))
            await trio.sleep(20)
            assert await drain(xpub, quiet=1) == [(b"\0t",)]
            for name in dice.sample(names, 2):
                net.restart(name)
            with trio.fail_after(20):
                await xpub.wait_subscribers("t", 2)
            assert await drain(xpub, quiet=1) == [(b"\1t",)]
        nursery.cancel_scope.cancel()


@promise(5)
async def test_waiting_for_peers_and_subscribers_tells_the_truth(net, rough, dice) -> None:
    """Neither returns while fewer are there, nor waits when they are back."""
    names = ["s0", "s1", "s2"]
    rough("pub", *names)

    async def subscriber(ctx: triomq.Context) -> None:
        sub = ctx.socket(triomq.SUB, topics=["t"], reconnect_interval_max=1.0)
        sub.connect("tcp://pub:5555")
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery, net.open_context("pub") as ctx:
        pub = ctx.socket(triomq.PUB)
        await pub.bind("tcp://*:5555")
        for name in names:
            nursery.start_soon(net.run_on, name, subscriber)
        for _ in range(4):
            with trio.fail_after(30):
                await pub.wait_subscribers("t", 3)
                await pub.wait_peers(3)
            assert len(pub.peers) == 3
            name = dice.choice(names)
            net.crash(name, how="process")
            await trio.sleep(5)
            for wait in (lambda: pub.wait_subscribers("t", 3), lambda: pub.wait_peers(3)):
                with trio.move_on_after(dice.uniform(1, 20)) as patience:
                    await wait()
                assert patience.cancelled_caught
            assert len(pub.peers) == 2
            await pub.wait_subscribers("t", 2)
            net.restart(name)
        nursery.cancel_scope.cancel()


@promise(5, 6)
async def test_a_server_that_unbinds_and_binds_again(net, rough, dice) -> None:
    """On the same port, while the network has its own faults: clients come back, and none of them is told wrongly."""
    rough("server", "c0", "c1")
    received: list[int] = []

    async def client(ctx: triomq.Context, first: int) -> None:
        push = ctx.socket(triomq.PUSH, reconnect_interval_max=1.0, heartbeat_interval=10.0)
        push.connect("tcp://server:5555")
        for one in range(first, first + 100):
            await push.send(b"%d" % one)
            await trio.sleep(0.3)
        await trio.sleep(30)
        await push.send(b"%d" % (first + 100))
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery, net.open_context("server") as ctx:
        pull = ctx.socket(triomq.PULL, heartbeat_interval=10.0)
        nursery.start_soon(receive_into, pull, received)
        for one, name in enumerate(("c0", "c1")):
            nursery.start_soon(net.run_on, name, client, 1000 * one)
        nursery.start_soon(storm, net, dice, "server", ["c0", "c1"])
        for _ in range(4):
            assert await pull.bind("tcp://*:5555") == "tcp://server:5555"
            await trio.sleep(dice.uniform(0, 10))
            await pull.unbind("tcp://server:5555")
            assert pull.peers == ()
            await trio.sleep(dice.uniform(0, 10))
        await pull.bind("tcp://*:5555")
        await trio.sleep(100)
        nursery.cancel_scope.cancel()
    for first in (0, 1000):
        numbers = [one for one in received if first <= one < first + 1000]
        assert numbers == sorted(set(numbers))
        assert numbers[-1] == first + 100


@promise(5, 6)
async def test_a_client_moves_to_another_server_with_all_it_has(net, rough, dice) -> None:
    """disconnect() lingers for what is queued at the one, while what comes next goes to the other."""
    rough("a", "s0", "s1")
    received: dict[str, list[int]] = {"s0": [], "s1": []}
    async with trio.open_nursery() as nursery, net.open_context("a") as ctx:
        push = ctx.socket(triomq.PUSH, linger=100, reconnect_interval_max=1.0)
        push.connect("tcp://s0:5555")
        for one in range(20):
            await push.send(b"%d" % one)
        await trio.sleep(dice.uniform(0, 5))
        push.disconnect("tcp://s0:5555")
        push.connect("tcp://s1:5555")
        for one in range(20, 40):
            await push.send(b"%d" % one)
        for name in dice.sample(["s0", "s1"], 2):
            await trio.sleep(dice.uniform(0, 30))
            nursery.start_soon(net.run_on, name, bound_pull, received[name])
        await trio.sleep(60)
        assert received == {"s0": list(range(20)), "s1": list(range(20, 40))}
        assert push.endpoints == ("tcp://s1:5555",)
        assert push.statistics().messages_sent == 40
        nursery.cancel_scope.cancel()


@promise(5, 3)
async def test_ipc_whose_other_process_dies_and_comes_back(net, dice) -> None:
    """Two programs of one host: the one that lives keeps its queue."""
    received: list[int] = []

    async def sink(ctx: triomq.Context) -> None:
        pull = ctx.socket(triomq.PULL)
        await pull.bind("ipc:///run/sink")
        async for message in pull:
            received.append(number(message))
            if dice.random() < 0.05:
                return

    async def restart_for_ever() -> None:
        while True:
            await net.run_on("a", sink)
            await trio.sleep(dice.uniform(0, 5))

    async with trio.open_nursery() as nursery, net.open_context("a") as ctx:
        push = ctx.socket(triomq.PUSH, reconnect_interval_max=1.0, send_hwm=5)
        push.connect("ipc:///run/sink")
        nursery.start_soon(restart_for_ever)
        for one in range(150):
            await push.send(b"%d" % one)
            await trio.sleep(dice.uniform(0, 0.3))
        await trio.sleep(20)
        nursery.cancel_scope.cancel()
    assert received == sorted(set(received))
    assert len(received) > 75
