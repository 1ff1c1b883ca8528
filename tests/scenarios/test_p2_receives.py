"""Promise 2: a receive that was cancelled took nothing, and messages of many parts come whole."""

from __future__ import annotations

import pytest
import trio

import triomq

from .actors import number, pad, patience, receive_impatiently
from .promises import promise
from .weather import storm

pytestmark = pytest.mark.virtual_seeds(4)


@promise(2, 3)
async def test_receive_many_cancelled_takes_none_or_returns_them_all(net, rough, dice) -> None:
    rough("a", "b")
    received: list[int] = []

    async def sender(ctx: triomq.Context) -> None:
        push = ctx.socket(triomq.PUSH, linger=600)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        for one in range(300):
            await push.send(pad(50)(one))
            await trio.sleep(dice.choice([0, 0, 0.01]))

    async with trio.open_nursery() as nursery, net.open_context("b") as ctx:
        pull = ctx.socket(triomq.PULL, receive_hwm=20)
        await pull.bind("tcp://*:5555")
        nursery.start_soon(net.run_on, "a", sender)
        await pull.wait_peers()
        nursery.start_soon(storm, net, dice, "a", "b")
        while len(received) < 300:
            most = dice.choice([1, 3, 100])
            with patience(dice, 0.1):
                messages = await pull.receive_many(most)
                assert 1 <= len(messages) <= most
                received.extend(map(number, messages))
        nursery.cancel_scope.cancel()
    assert received == list(range(300))


@promise(2, 3)
async def test_many_parts_come_whole_or_not_at_all_through_crashes(net, rough, dice) -> None:
    rough("a", "b")
    received: list[triomq.Message] = []

    async def sink(ctx: triomq.Context) -> None:
        pull = ctx.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        while True:
            with patience(dice, 1.0):
                received.append(await pull.receive())

    async with trio.open_nursery() as nursery, net.open_context("a") as ctx:
        nursery.start_soon(net.run_on, "b", sink)
        push = ctx.socket(triomq.PUSH, send_hwm=3, reconnect_interval_max=1.0, heartbeat_interval=10.0)
        push.connect("tcp://b:5555")
        nursery.start_soon(lambda: storm(net, dice, "a", "b", faults=["power", "process", "reset"], times=5, longest=3))
        for one in range(60):
            parts = [dice.randbytes(dice.choice([0, 1, 255, 256, 600])) for _ in range(dice.choice([0, 1, 30]))]
            await push.send([b"%d" % one, b"%d" % len(parts), *parts, b"%d" % one])
            await trio.sleep(dice.uniform(0, 0.5))
        await trio.sleep(60)
        await push.send([b"60", b"0", b"60"])
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    assert all(message[0] == message[-1] and len(message) == int(message[1]) + 3 for message in received)
    numbers = list(map(number, received))
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 60


@promise(2, 9)
async def test_merged_sockets_of_every_transport_lose_nothing(net, rough, dice) -> None:
    """merge() over tcp, ipc and inproc, cancelled, while others receive from one of the sockets themselves."""
    rough("a", "b")
    received: list[int] = []

    async def sender(ctx: triomq.Context, endpoint: str, first: int) -> None:
        async with ctx.socket(triomq.PUSH, send_hwm=5, linger=600) as push:
            push.connect(endpoint)
            await push.wait_peers()
            for one in range(first, first + 60):
                await push.send(pad(20)(one))
                await trio.sleep(dice.choice([0, 0.1]))

    async with trio.open_nursery() as nursery, net.open_context("b") as ctx:
        endpoints = ["tcp://*:5555", "ipc:///run/x", "inproc://x"]
        pulls = [ctx.socket(triomq.PULL, receive_hwm=5) for _ in endpoints]
        for pull, endpoint in zip(pulls, endpoints, strict=True):
            await pull.bind(endpoint)
        nursery.start_soon(net.run_on, "a", sender, "tcp://b:5555", 0)
        nursery.start_soon(net.run_on, "b", sender, "ipc:///run/x", 100)
        nursery.start_soon(sender, ctx, "inproc://x", 200)
        await pulls[0].wait_peers()
        nursery.start_soon(storm, net, dice, "a", "b")

        def read(found: tuple[triomq.PULL, triomq.Message]) -> int:
            socket, message = found
            assert socket is pulls[number(message) // 100]
            return number(message)

        merged = triomq.merge(*pulls)
        nursery.start_soon(receive_impatiently, merged, dice, received, read)
        nursery.start_soon(receive_impatiently, merged, dice, received, read)
        nursery.start_soon(receive_impatiently, pulls[1], dice, received)
        await trio.sleep(200)
        nursery.cancel_scope.cancel()
    assert sorted(received) == [*range(60), *range(100, 160), *range(200, 260)]


@promise(2, 4)
async def test_a_subscriber_that_gives_up_and_asks_again_misses_nothing(net, rough, dice) -> None:
    """While connections stand and queues suffice, publishing is reliable, whatever becomes of receives."""
    names = ["s0", "s1"]
    rough("pub", *names)
    received: dict[str, list[int]] = {name: [] for name in names}

    async def subscriber(ctx: triomq.Context, name: str) -> None:
        sub = ctx.socket(triomq.SUB, topics=["n"])
        sub.connect("tcp://pub:5555")
        await receive_impatiently(sub, dice, received[name])

    async with trio.open_nursery() as nursery, net.open_context("pub") as ctx:
        pub = ctx.socket(triomq.PUB)
        await pub.bind("tcp://*:5555")
        for name in names:
            nursery.start_soon(net.run_on, name, subscriber, name)
        await pub.wait_subscribers("n", 2)
        nursery.start_soon(storm, net, dice, "pub", names)
        for one in range(100):
            await pub.send([b"n", b"", b"%d" % one])
            await trio.sleep(dice.uniform(0, 0.2))
        await trio.sleep(100)
        assert pub.statistics().messages_dropped == 0
        assert pub.statistics().messages_sent == 200
        nursery.cancel_scope.cancel()
    assert received == {name: list(range(100)) for name in names}


@promise(2, 3)
async def test_a_router_of_many_clients_hears_each_of_them_in_order(net, rough, dice) -> None:
    names = [f"c{number}" for number in range(6)]
    rough("router", *names)
    heard: list[tuple[bytes, int]] = []

    async def client(ctx: triomq.Context, name: str) -> None:
        dealer = ctx.socket(triomq.DEALER, routing_id=name.encode(), send_hwm=5)
        dealer.connect("tcp://router:5555")
        await dealer.wait_peers()
        for one in range(20):
            await dealer.send([b"", b"%d" % one])
            await trio.sleep(dice.uniform(0, 0.3))
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery, net.open_context("router") as ctx:
        router = ctx.socket(triomq.ROUTER, receive_hwm=5)
        await router.bind("tcp://*:5555")
        for name in names:
            nursery.start_soon(net.run_on, name, client, name)
        await router.wait_peers(len(names))
        nursery.start_soon(storm, net, dice, "router", names)

        def read(message: triomq.Message) -> tuple[bytes, int]:
            routing_id, empty, one = message
            assert empty == b""
            return routing_id, int(one)

        nursery.start_soon(receive_impatiently, router, dice, heard, read)
        await trio.sleep(200)
        nursery.cancel_scope.cancel()
    by_name = {name: [one for who, one in heard if who == name.encode()] for name in names}
    assert by_name == {name: list(range(20)) for name in names}


@promise(2, 3)
async def test_a_replier_that_is_cancelled_answers_each_request_once(net, rough, dice) -> None:
    names = ["c0", "c1", "c2"]
    rough("server", *names)
    served: list[bytes] = []
    answered: list[bytes] = []

    async def client(ctx: triomq.Context, name: str) -> None:
        req = ctx.socket(triomq.REQ)
        req.connect("tcp://server:5555")
        await req.wait_peers()
        for one in range(20):
            word = f"{name}-{one}".encode()
            assert bytes(await req.request(word)) == word
            answered.append(word)

    async with trio.open_nursery() as nursery, net.open_context("server") as ctx:
        rep = ctx.socket(triomq.REP)
        await rep.bind("tcp://*:5555")

        async def serve() -> None:
            while True:
                request = None
                with patience(dice, 0.1):
                    request = await rep.receive()
                if request is None:
                    continue
                sent = False
                while not sent:
                    with patience(dice, 0.1):
                        await rep.send(request)
                        sent = True
                served.append(bytes(request))

        nursery.start_soon(serve)
        async with trio.open_nursery() as clients:
            for name in names:
                clients.start_soon(net.run_on, name, client, name)
            clients.start_soon(storm, net, dice, "server", names)
        nursery.cancel_scope.cancel()
    assert sorted(served) == sorted(answered)
    assert len(set(served)) == len(served) == 60
