"""Promise 3: between two peers order is kept, and nothing is delivered twice."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import pytest
import trio

import triomq

from .actors import (
    answer_all,
    assert_followed,
    bound_pull,
    follow,
    forward_subscriptions,
    number,
    pad,
    publish,
    receive_into,
)
from .promises import promise
from .weather import storm

pytestmark = pytest.mark.virtual_seeds(4)


@promise(3, 4)
async def test_through_partitions_every_message_once_and_in_order(net, rough, dice) -> None:
    """TCP outlives a partition of seconds, and so does every message."""
    received: dict[str, list[int]] = {f"w{one}": [] for one in range(3)}
    rough("vent", *received)

    async def worker(ctx: triomq.Context, name: str) -> None:
        pull = ctx.socket(triomq.PULL, receive_hwm=10)
        pull.connect("tcp://vent:5555")
        await pull.wait_peers()
        ready[name].set()
        await receive_into(pull, received[name])

    ready = {name: trio.Event() for name in received}
    async with trio.open_nursery() as nursery:
        for name in received:
            nursery.start_soon(net.run_on, name, worker, name)
        async with net.open_context("vent") as ctx:
            push = ctx.socket(triomq.PUSH, send_hwm=10, linger=600)
            await push.bind("tcp://*:5555")
            for event in ready.values():  # or a handshake may time out, with what was written behind it
                await event.wait()
            await push.wait_peers(3)
            for one in range(200):
                await push.send(b"%d" % one)
                if one % 50 == 25:
                    split = net.partition(dice.choice(list(received)))
                    await trio.sleep(dice.uniform(0, 20))
                    net.heal(split)
        nursery.cancel_scope.cancel()
    assert sorted(one for numbers in received.values() for one in numbers) == list(range(200))
    assert all(numbers == sorted(numbers) for numbers in received.values())


@promise(3, 2, 5)
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
            for one in range(200):
                await push.send([b"%d" % one, b"x" * dice.randrange(1500), b"%d" % one])
                if dice.random() < 0.04:
                    net.cut("a", "b")
                if dice.random() < 0.1:
                    await trio.sleep(dice.uniform(0, 0.5))
            await trio.sleep(60)
            await push.wait_peers()
            await push.send([b"200", b"", b"200"])
        nursery.cancel_scope.cancel()
    numbers = [int(message[0]) for message in received]
    assert all(message[0] == message[2] and len(message) == 3 for message in received)
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 200


@promise(3, 5)
async def test_a_slow_receiver_sees_no_later_connection_before_an_earlier_one(net, rough, dice) -> None:
    """What waits in the queue of a connection that has ended is received before what came by the next.

    As long as there is room in that queue. A full one is not read from, and its end not seen.
    """
    rough("a", "b")
    received: list[int] = []
    async with trio.open_nursery() as nursery, net.open_context("b") as there, net.open_context("a") as here:
        pull = there.socket(triomq.PULL, receive_hwm=dice.choice([0, 100]))
        await pull.bind("tcp://*:5555")
        push = here.socket(triomq.PUSH, send_hwm=5, reconnect_interval_max=1.0)
        push.connect("tcp://b:5555")

        async def read_slowly() -> None:
            while True:
                received.append(number(await pull.receive()))
                await trio.sleep(dice.uniform(0, 0.4))

        nursery.start_soon(read_slowly)
        nursery.start_soon(lambda: storm(net, dice, "a", "b", faults=["reset"], times=5, longest=3))
        for one in range(100):
            await push.send(b"%d" % one)
            await trio.sleep(dice.uniform(0, 0.2))
        await trio.sleep(30)  # the storm is over
        await push.send(b"100")
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    assert received == sorted(set(received))
    assert received[-1] == 100


@promise(3, 4)
async def test_a_hundred_requests_in_flight_through_partitions(net, rough, dice) -> None:
    """DEALER and ROUTER, with nobody waiting for a reply before the next request."""
    rough("client", "server")
    async with trio.open_nursery() as nursery, net.open_context("client") as here, net.open_context("server") as there:
        router = there.socket(triomq.ROUTER)
        await router.bind("tcp://*:5555")
        dealer = here.socket(triomq.DEALER)
        dealer.connect("tcp://server:5555")
        await dealer.wait_peers()
        nursery.start_soon(answer_all, router)
        nursery.start_soon(storm, net, dice, "client", "server")
        window: deque[int] = deque()
        for one in range(200):
            await dealer.send([b"", pad(dice.choice([5, 200]))(one)])
            window.append(one)
            if len(window) == 100:
                assert number(await dealer.receive()) == window.popleft()
        while window:
            assert number(await dealer.receive()) == window.popleft()
        with pytest.raises(trio.WouldBlock):
            dealer.receive_nowait()
        nursery.cancel_scope.cancel()


@promise(3, 5)
async def test_replies_after_resets_are_few_but_never_old_nor_double(net, rough, dice) -> None:
    rough("client", "server")
    answered: list[int] = []

    async def serve(ctx: triomq.Context) -> None:
        router = ctx.socket(triomq.ROUTER)
        await router.bind("tcp://*:5555")
        await answer_all(router)

    async with trio.open_nursery() as nursery, net.open_context("client") as ctx:
        nursery.start_soon(net.run_on, "server", serve)
        dealer = ctx.socket(triomq.DEALER, reconnect_interval_max=1.0, heartbeat_interval=3.0, send_hwm=20)
        dealer.connect("tcp://server:5555")
        nursery.start_soon(receive_into, dealer, answered)
        faults = ["reset", "process", "power", "black hole"]
        nursery.start_soon(lambda: storm(net, dice, "client", "server", faults=faults, times=6))
        for one in range(150):
            await dealer.send(b"%d" % one)
            await trio.sleep(dice.uniform(0, 0.4))
        await trio.sleep(60)
        await dealer.send(b"150")
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    assert answered == sorted(set(answered))
    assert answered[-1] == 150


@promise(3, 5)
async def test_a_tree_of_proxies_delivers_once_through_resets_below_it(net, rough, dice) -> None:
    """XSUB and XPUB in between: no message twice, and subscriptions travel up again."""
    seen: dict[str, list[tuple[float, int]]] = {f"s{one}": [] for one in range(3)}
    rough("proxy", *seen)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "pub", publish, 0.3)
        nursery.start_soon(net.run_on, "proxy", forward_subscriptions, "tcp://pub:5555")
        for name in seen:
            nursery.start_soon(net.run_on, name, follow, seen[name], "tcp://proxy:6666")
        for _ in range(5):
            await trio.sleep(dice.uniform(1, 5))
            net.cut("proxy", dice.choice(["pub", *seen]))
        await trio.sleep(20)
        end = trio.current_time()
        nursery.cancel_scope.cancel()
    for numbers in seen.values():
        assert_followed(numbers, end - 5)


@promise(3, 5)
async def test_two_levels_of_proxies_and_a_middle_one_that_dies(net, rough, dice) -> None:
    """Whatever level dies and comes back, those below get the news again, and those beside it never miss any."""
    middles = ["m0", "m1"]
    seen: dict[str, list[tuple[float, int]]] = {f"s{one}": [] for one in range(4)}
    rough("top", *middles)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "pub", publish, 1.0)
        nursery.start_soon(net.run_on, "top", forward_subscriptions, "tcp://pub:5555")
        for middle in middles:
            nursery.start_soon(net.run_on, middle, forward_subscriptions, "tcp://top:6666")
        for one, name in enumerate(seen):
            nursery.start_soon(net.run_on, name, follow, seen[name], f"tcp://{middles[one % 2]}:6666")
        await trio.sleep(10)
        crashed, down = trio.current_time(), dice.uniform(1, 20)
        net.crash("m0", how=dice.choice(["power", "process"]))
        await trio.sleep(down)
        net.restart("m0")
        await trio.sleep(25)
        end = trio.current_time()
        nursery.cancel_scope.cancel()
    for one, numbers in enumerate(seen.values()):
        assert_followed(numbers, end - 5)
        times = [time for time, _ in numbers if time > crashed - 4]
        longest = max(later - earlier for earlier, later in pairwise(times))
        assert longest > down - 1 if one % 2 == 0 else longest < 5


@promise(3, 4)
async def test_pushers_over_narrow_links_share_a_receiver_fairly(net, dice) -> None:
    """Six hosts push as fast as they may over links of one speed: each gets through in order, none at the expense
    of another; one that is cut off for a while catches up.
    """
    names = [f"p{one}" for one in range(6)]
    for name in names:
        net.link(name, "sink", bandwidth=5000.0, send_buffer=2000, receive_buffer=2000)
    received: list[tuple[bytes, int]] = []

    async def pusher(ctx: triomq.Context, name: str) -> None:
        push = ctx.socket(triomq.PUSH, send_hwm=2)
        push.connect("tcp://sink:5555")
        for one in range(1_000_000):
            await push.send([name.encode(), pad(200)(one)])

    async with trio.open_nursery() as nursery, net.open_context("sink") as ctx:
        pull = ctx.socket(triomq.PULL, receive_hwm=2)
        await pull.bind("tcp://*:5555")
        for name in names:
            nursery.start_soon(net.run_on, name, pusher, name)
        await pull.wait_peers(len(names))
        for _ in range(400):
            name, one = await pull.receive()
            received.append((name, int(one)))
            await trio.sleep(dice.uniform(0, 0.02))
        nursery.cancel_scope.cancel()
    counts = [sum(who == name.encode() for who, _ in received) for name in names]
    assert max(counts) - min(counts) < 20
    for name, count in zip(names, counts, strict=True):
        assert [one for who, one in received if who == name.encode()] == list(range(count))


@promise(3, 4, 5)
async def test_who_conflates_gets_newer_and_newer_and_at_last_the_newest(net, rough, dice) -> None:
    rough("pub", "sub")
    received: list[int] = []
    async with trio.open_nursery() as nursery, net.open_context("pub") as here, net.open_context("sub") as there:
        pub = here.socket(triomq.PUB, conflate=True, heartbeat_interval=1.0)
        await pub.bind("tcp://*:5555")
        sub = there.socket(triomq.SUB, conflate=True, topics=[""], heartbeat_interval=1.0, reconnect_interval_max=1.0)
        sub.connect("tcp://pub:5555")
        await pub.wait_subscribers("")
        nursery.start_soon(
            lambda: storm(net, dice, "pub", "sub", faults=["reset", "pause", "partition", "black hole"], times=5)
        )

        async def read_slowly() -> None:
            while True:
                received.append(number(await sub.receive()))
                assert all(peer.receive_queue <= 1 for peer in sub.statistics().peers)
                await trio.sleep(dice.uniform(0, 2))

        nursery.start_soon(read_slowly)
        for one in range(200):
            await pub.send(b"%d" % one)
            assert all(peer.send_queue <= 1 for peer in pub.statistics().peers)
            await trio.sleep(dice.uniform(0, 0.3))
        await trio.sleep(60)
        await pub.wait_subscribers("")
        await pub.send(b"200")
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    assert received == sorted(set(received))
    assert received[-1] == 200
    assert len(received) < 150


@promise(3, 5)
async def test_sockets_of_every_transport_at_one_receiver(net, rough, dice) -> None:
    """One PULL, bound to tcp, ipc and inproc, while its host is paused and its connections are reset."""
    rough("a", "b")
    received: list[int] = []

    async def sender(ctx: triomq.Context, endpoint: str, first: int) -> None:
        push = ctx.socket(triomq.PUSH, send_hwm=3, reconnect_interval_max=1.0)
        push.connect(endpoint)
        for one in range(first, first + 50):
            await push.send(b"%d" % one)
            await trio.sleep(dice.uniform(0, 0.4))
        await trio.sleep(60)
        await push.send(b"%d" % (first + 50))
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "a", sender, "tcp://b:5555", 0)
        nursery.start_soon(net.run_on, "b", sender, "ipc:///run/x", 100)
        async with net.open_context("b") as ctx:
            pull = ctx.socket(triomq.PULL, receive_hwm=3)
            for endpoint in ("tcp://*:5555", "ipc:///run/x", "inproc://x"):
                await pull.bind(endpoint)
            nursery.start_soon(sender, ctx, "inproc://x", 200)
            nursery.start_soon(receive_into, pull, received)
            for _ in range(5):
                await storm(net, dice, "a", "b", faults=["reset", "pause"], times=1, longest=3)
                net.cut("b", "b")
            await trio.sleep(100)
            nursery.cancel_scope.cancel()
    by_sender = [[one for one in received if one // 100 == hundred] for hundred in range(3)]
    for hundred, numbers in enumerate(by_sender):
        assert numbers == sorted(set(numbers))
        assert numbers[-1] == 100 * hundred + 50
    assert by_sender[2] == list(range(200, 251))  # inproc loses nothing


@promise(3, 5)
async def test_a_pair_whose_one_end_dies_again_and_again(net, rough, dice) -> None:
    """Both directions keep their order; the end that lives keeps its queue."""
    rough("a", "b")
    at_a: list[int] = []
    at_b: list[list[int]] = []

    async def talk(pair: triomq.PAIR, numbers: range) -> None:
        for one in numbers:
            await pair.send(b"%d" % one)
            await trio.sleep(dice.uniform(0, 0.5))

    async def mortal(ctx: triomq.Context) -> None:
        pair = ctx.socket(triomq.PAIR, heartbeat_interval=3.0)
        await pair.bind("tcp://*:5555")
        at_b.append([])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive_into, pair, at_b[-1])
            nursery.start_soon(talk, pair, range(1000 * len(at_b), 1000 * len(at_b) + 900))

    async with trio.open_nursery() as nursery, net.open_context("a") as ctx:
        pair = ctx.socket(triomq.PAIR, heartbeat_interval=3.0, reconnect_interval_max=1.0)
        pair.connect("tcp://b:5555")
        nursery.start_soon(receive_into, pair, at_a)
        nursery.start_soon(net.run_on, "b", mortal)
        nursery.start_soon(talk, pair, range(60))
        await storm(net, dice, "a", "b", faults=["process", "power"], times=3)
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    assert at_a == sorted(set(at_a))
    assert at_a[-1] > 1000 * len(at_b)
    heard = [one for numbers in at_b for one in numbers]
    assert heard == sorted(set(heard))


@promise(3, 9)
async def test_a_pulls_hwm_of_one_and_ten_pushers_behind_it(net, rough, dice) -> None:
    """The smallest queues there are, and as many who wait as there can be: all arrive, each in order."""
    rough("many", "one")
    received: list[int] = []
    pushes: list[triomq.PUSH] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: net.run_on("one", bound_pull, received, receive_hwm=1))
        async with net.open_context("many") as ctx:

            async def pusher(first: int) -> None:
                push = ctx.socket(triomq.PUSH, send_hwm=1, linger=600)
                pushes.append(push)
                push.connect("tcp://one:5555")
                await push.wait_peers()
                for one in range(first, first + 10):
                    await push.send(pad(300)(one))

            async with trio.open_nursery() as pushers:
                for first in range(0, 1000, 100):
                    pushers.start_soon(pusher, first)
                pushers.start_soon(lambda: storm(net, dice, "many", "one", times=3))
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    for first in range(0, 1000, 100):
        assert [one for one in received if first <= one < first + 100] == list(range(first, first + 10))
    assert len(received) == 100
