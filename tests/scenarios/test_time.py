"""Heartbeats, back-off and lingering: what nobody has the time to wait for."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio

import triomq

pytestmark = pytest.mark.virtual_seeds(4)


async def next_event(monitor: triomq.Monitor, kind: type) -> triomq.MonitorEvent:
    async for event in monitor:
        if isinstance(event, kind):
            return event
    raise AssertionError("the monitor ended")


@pytest.mark.parametrize("fault", ["black hole", "partition", "crash", "pause"])
async def test_heartbeats_notice_silence_in_time_and_the_socket_comes_back(net, dice, fault) -> None:
    interval, timeout = dice.uniform(0.5, 5), dice.uniform(0.5, 5)
    async with trio.open_nursery() as nursery, net.open_context("a") as ctx:

        async def sink(ctx: triomq.Context) -> None:
            pull = ctx.socket(triomq.PULL)
            await pull.bind("tcp://*:5555")
            async for _ in pull:
                pass

        nursery.start_soon(net.run_on, "b", sink)
        push = ctx.socket(triomq.PUSH, heartbeat_interval=interval, heartbeat_timeout=timeout, connect_timeout=2.0)
        push.connect("tcp://b:5555")
        monitor = push.monitor()
        await push.wait_peers()
        await trio.sleep(dice.uniform(0, 600))  # a living peer is never dropped
        assert push.peers
        start = trio.current_time()
        if fault == "black hole":
            net.cut("a", "b", how="black hole")
        elif fault == "partition":
            net.partition("a", "b")
        elif fault == "crash":
            net.crash("b")
        else:
            net.pause("b")
        await next_event(monitor, triomq.Disconnected)
        noticed = trio.current_time() - start
        assert noticed <= interval + timeout + 0.1
        net.heal()
        net.restart("b")
        net.resume("b")
        await next_event(monitor, triomq.HandshakeSucceeded)
        nursery.cancel_scope.cancel()


async def test_back_off_grows_has_a_bound_and_is_not_in_step(net, dice) -> None:
    most = dice.choice([2.0, 10.0, 60.0])
    net.link("a", "c")
    net.link("b", "c")

    async def try_for_an_hour(ctx: triomq.Context) -> None:
        push = ctx.socket(triomq.PUSH, reconnect_interval=0.1, reconnect_interval_max=most)
        push.connect("tcp://c:5555")
        await trio.sleep(3600)

    async with trio.open_nursery() as nursery:
        for host in "ab":
            nursery.start_soon(net.run_on, host, try_for_an_hour)
    attempts = {
        host: [event.time for event in net.recorder.of_kind("connecting") if event.host == host] for host in "ab"
    }
    for times in attempts.values():
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert max(gaps[:3]) < 1
        assert most * 0.8 < max(gaps) < most + 0.01
        assert 0.8 * 3600 / (most / 2) < len(gaps) < 1.3 * 3600 / (most / 2) + 20
    assert len(set(attempts["a"]) & set(attempts["b"])) == 1  # only the first one together


async def test_lingering_into_a_partition_ends_in_time(net, dice) -> None:
    linger = dice.choice([0.0, 0.5, 30.0])
    async with net.open_context("b") as there:
        pull = there.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        async with net.open_context("a") as ctx:
            push = ctx.socket(triomq.PUSH, linger=linger)
            push.connect("tcp://b:5555")
            await push.wait_peers()
            net.partition("a", "b")
            await push.send_many([bytes(10_000)] * 100)
            start = trio.current_time()
        assert trio.current_time() - start == pytest.approx(linger, abs=0.01)


async def test_lingering_outlasts_a_partition_that_heals(net, rough, dice) -> None:
    rough("a", "b")
    received: list[int] = []
    async with trio.open_nursery() as nursery, net.open_context("b") as there:
        pull = there.socket(triomq.PULL, receive_hwm=7)
        await pull.bind("tcp://*:5555")

        async def sink() -> None:
            async for number, _ in pull:
                received.append(int(number))

        async def heal_later() -> None:
            await trio.sleep(dice.uniform(1, 100))
            net.heal()

        nursery.start_soon(sink)
        async with net.open_context("a") as ctx:
            push = ctx.socket(triomq.PUSH, linger=float("inf"))
            push.connect("tcp://b:5555")
            await push.wait_peers()
            await pull.wait_peers()  # or the partition may take the last step of the handshake, and what came after
            net.partition("a", "b")
            nursery.start_soon(heal_later)
            await push.send_many([b"%d" % number, bytes(3000)] for number in range(200))
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    assert received == list(range(200))


async def test_a_hostile_peer_harms_nobody_else(net, rough, dice) -> None:
    """Promise 7: any octets at all, on connections of their own."""
    rough("a", "b")
    received: list[int] = []
    async with trio.open_nursery() as nursery, net.open_context("b") as there, net.open_context("a") as ctx:
        pull = there.socket(triomq.PULL, max_message_size=1000, handshake_timeout=1.0)
        await pull.bind("tcp://*:5555")

        async def sink() -> None:
            async for message in pull:
                received.append(int(bytes(message)))

        async def attack() -> None:
            from triomq.testing._transport import VirtualTcp

            transport = VirtualTcp(net._fabric, net._fabric.host("evil"))
            greeting = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(48)
            while True:
                stream = await transport.connect("b:5555", triomq.Options())
                try:
                    await stream.send_all(
                        dice.choice([b"", greeting, greeting + b"\4\x26\5READY"]) + dice.randbytes(99)
                    )
                    with trio.move_on_after(dice.uniform(0, 3)):
                        while await stream.receive_some():
                            pass
                except trio.BrokenResourceError:
                    pass
                finally:
                    stream.close()
                await trio.sleep(dice.uniform(0, 0.2))

        nursery.start_soon(sink)
        nursery.start_soon(attack)
        push = ctx.socket(triomq.PUSH)
        push.connect("tcp://b:5555")
        for number in range(200):
            await push.send(b"%d" % number)
            await trio.sleep(0.1)
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    assert received == list(range(200))
