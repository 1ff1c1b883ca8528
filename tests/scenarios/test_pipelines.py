"""PUSH and PULL under faults: promises 1, 2, 3 and 5 of the design."""

from __future__ import annotations

import pytest
import trio

import triomq

pytestmark = pytest.mark.virtual_seeds(4)


async def receive_into(pull: triomq.PULL, received: list[int]) -> None:
    async for message in pull:
        received.append(int(bytes(message)))


async def test_through_partitions_every_message_once_and_in_order(net, rough, dice) -> None:
    """TCP outlives a partition of seconds, and so does every message."""
    rough("vent", "w0", "w1", "w2")
    received: dict[str, list[int]] = {f"w{number}": [] for number in range(3)}
    ready = {name: trio.Event() for name in received}

    async def worker(ctx: triomq.Context, name: str) -> None:
        pull = ctx.socket(triomq.PULL, receive_hwm=10)
        pull.connect("tcp://vent:5555")
        await pull.wait_peers()
        ready[name].set()
        await receive_into(pull, received[name])

    async with trio.open_nursery() as nursery:
        for name in received:
            nursery.start_soon(net.run_on, name, worker, name)
        async with net.open_context("vent") as ctx:
            push = ctx.socket(triomq.PUSH, send_hwm=10, linger=600)
            await push.bind("tcp://*:5555")
            for event in ready.values():  # or a handshake may time out, with what was written behind it
                await event.wait()
            await push.wait_peers(3)
            for number in range(300):
                await push.send(b"%d" % number)
                if number % 100 == 50:
                    split = net.partition(dice.choice(list(received)))
                    await trio.sleep(dice.uniform(0, 20))
                    net.heal(split)
        nursery.cancel_scope.cancel()
    assert sorted(number for numbers in received.values() for number in numbers) == list(range(300))
    assert all(numbers == sorted(numbers) for numbers in received.values())


async def test_through_resets_nothing_twice_nothing_torn_and_order(net, rough, dice) -> None:
    """What a dying connection had taken may be lost; all else arrives, once, in order."""
    rough("a", "b")
    received: list[triomq.Message] = []

    async def sink(ctx: triomq.Context) -> None:
        pull = ctx.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        async for message in pull:
            received.append(message)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "b", sink)
        async with net.open_context("a") as ctx:
            push = ctx.socket(triomq.PUSH, linger=600, reconnect_interval_max=1.0, send_hwm=dice.choice([10, 1000]))
            push.connect("tcp://b:5555")
            for number in range(500):
                await push.send([b"%d" % number, b"x" * dice.randrange(2000), b"%d" % number])
                if dice.random() < 0.02:
                    net.cut("a", "b")
                if dice.random() < 0.1:
                    await trio.sleep(dice.uniform(0, 0.5))
            await trio.sleep(60)
            await push.wait_peers()
            await push.send([b"500", b"", b"500"])
        nursery.cancel_scope.cancel()
    numbers = [int(message[0]) for message in received]
    assert all(message[0] == message[2] and len(message) == 3 for message in received)
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 500


@pytest.mark.parametrize("how", ["power", "process"])
async def test_the_connecting_side_keeps_its_queue(net, rough, dice, how) -> None:
    """Connect before bind, the binder dies and comes back: what was queued and not written arrives."""
    rough("a", "b")
    received: list[int] = []

    async def sink(ctx: triomq.Context) -> None:
        pull = ctx.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        await receive_into(pull, received)

    async with trio.open_nursery() as nursery, net.open_context("a") as ctx:
        push = ctx.socket(triomq.PUSH, heartbeat_interval=1.0)
        push.connect("tcp://b:5555")
        await push.send_many(b"%d" % number for number in range(100))
        await trio.sleep(dice.uniform(0, 300))
        nursery.start_soon(net.run_on, "b", sink)
        await trio.sleep(60)
        assert received == list(range(100))
        net.crash("b", how=how)
        await trio.sleep(300)  # the peer is known to be gone: nothing is written meanwhile
        await push.send_many(b"%d" % number for number in range(100, 200))
        net.restart("b")
        await trio.sleep(60)
        assert received == list(range(200))
        nursery.cancel_scope.cancel()


async def test_a_binding_pusher_that_restarts_is_found_again(net, dice) -> None:
    received: list[int] = []

    async def vent(ctx: triomq.Context) -> None:
        push = ctx.socket(triomq.PUSH)
        await push.bind("tcp://*:5555")
        await push.wait_peers()
        for number in range(10):
            await push.send(b"%d" % number)
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


async def test_a_cancelled_send_was_not_accepted_and_any_other_was(net, rough, dice) -> None:
    rough("a", "b")
    received: list[int] = []
    accepted: list[int] = []

    async def sender(ctx: triomq.Context) -> None:
        push = ctx.socket(triomq.PUSH, send_hwm=3, linger=600, send_buffer=2000)
        push.connect("tcp://b:5555")
        for number in range(300):
            with trio.move_on_after(dice.choice([0, 0.01, 0.1])):
                await push.send(b"%0100d" % number)
                accepted.append(number)

    async with trio.open_nursery() as nursery, net.open_context("b") as ctx:
        pull = ctx.socket(triomq.PULL, receive_hwm=3, receive_buffer=2000)
        await pull.bind("tcp://*:5555")

        async def sink() -> None:
            while True:
                with trio.move_on_after(dice.choice([0, 0.001, 1])):
                    received.append(int(bytes(await pull.receive())))
                await trio.sleep(dice.choice([0, 0.05]))

        nursery.start_soon(sink)
        await net.run_on("a", sender)
        await trio.sleep(100)
        nursery.cancel_scope.cancel()
    assert 0 < len(accepted) < 300
    assert received == accepted


async def test_a_slow_peer_blocks_and_loses_nothing(net, dice) -> None:
    """Promise 4: HWMs and buffers fill, `send` waits, then all goes on."""
    size, buffers = 1000, 20_000
    net.link("a", "b", send_buffer=buffers // 2, receive_buffer=buffers // 2, latency=dice.choice([0.0, 0.1]))
    async with net.open_context("b") as there, net.open_context("a") as here:
        pull = there.socket(triomq.PULL, receive_hwm=5)
        await pull.bind("tcp://*:5555")
        push = here.socket(triomq.PUSH, send_hwm=5)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        sent = 0
        with trio.move_on_after(1000):
            while True:
                await push.send(b"%d" % sent + bytes(size))
                sent += 1
        # Both HWMs and both buffers; a session may have read, and a batch have left, beyond that.
        assert 5 + 5 + buffers // size - 2 <= sent <= 5 + 5 + buffers // size + 70
        for number in range(sent):
            assert (await pull.receive())[0].rstrip(b"\0") == b"%d" % number
