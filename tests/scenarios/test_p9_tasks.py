"""Promise 9: a socket may be used by several tasks at once, and by no other thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import chain

import pytest
import trio

import triomq

from .actors import accounted, echo, number, pad, patience, receive_impatiently, send_impatiently
from .promises import promise
from .weather import storm

pytestmark = pytest.mark.virtual_seeds(4)


@promise(9, 1, 2, 3)
async def test_several_senders_and_several_receivers_of_one_pair_of_sockets(net, rough, dice) -> None:
    """All of them impatient: each message that was accepted is received by exactly one of them."""
    rough("a", "b")
    accepted: list[list[int]] = [[] for _ in range(4)]
    received: list[list[int]] = [[] for _ in range(3)]
    async with trio.open_nursery() as nursery, net.open_context("b") as there, net.open_context("a") as here:
        pull = there.socket(triomq.PULL, receive_hwm=2, receive_buffer=2000)
        await pull.bind("tcp://*:5555")
        push = here.socket(triomq.PUSH, send_hwm=2, send_buffer=2000)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        await pull.wait_peers()
        for numbers in received:
            nursery.start_soon(receive_impatiently, pull, dice, numbers)
        async with trio.open_nursery() as senders:
            for one, numbers in enumerate(accepted):
                mine = range(1000 * one, 1000 * one + 40)
                senders.start_soon(send_impatiently, push, dice, mine, numbers, pad(100))
            senders.start_soon(storm, net, dice, "a", "b")
        await trio.sleep(100)
        assert accounted(push) == sum(map(len, accepted))
        nursery.cancel_scope.cancel()
    assert sorted(chain(*received)) == sorted(chain(*accepted))
    for numbers in received:  # what one task receives of one sender's is in order
        for one in range(4):
            mine = [number_ for number_ in numbers if number_ // 1000 == one]
            assert mine == sorted(mine)


@promise(9, 2)
async def test_who_has_waited_longest_receives_first(net, rough, dice) -> None:
    """Tasks that wait in receive(), in any weather; those that gave up lose their place and nothing else."""
    rough("a", "b")
    got: list[tuple[int, int]] = []
    async with trio.open_nursery() as nursery, net.open_context("b") as there, net.open_context("a") as here:
        pull = there.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        push = here.socket(triomq.PUSH)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        await pull.wait_peers()

        async def waiter(place: int, patience: float) -> None:
            with trio.move_on_after(patience):
                got.append((place, number(await pull.receive())))

        for place in range(30):
            nursery.start_soon(waiter, place, dice.choice([5.0, 1e6]))
            await trio.sleep(0.01)
        assert pull.statistics().tasks_waiting_receive == 30
        await trio.sleep(10)
        left = pull.statistics().tasks_waiting_receive
        assert 0 < left < 30
        nursery.start_soon(storm, net, dice, "a", "b")
        for one in range(left):
            await push.send(b"%d" % one)
            await trio.sleep(dice.choice([0, 1]))
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    assert sorted(one for _, one in got) == list(range(left))
    assert [one for _, one in sorted(got)] == list(range(left))


@promise(9, 4)
async def test_who_has_waited_longest_sends_first(net, dice) -> None:
    """Blocked by a peer that is paused, then by one that is slow; the order of waiting is the order of arriving."""
    net.link("a", "b", send_buffer=300, receive_buffer=300, bandwidth=10_000.0)
    received: list[int] = []
    async with trio.open_nursery() as nursery, net.open_context("b") as there, net.open_context("a") as here:
        pull = there.socket(triomq.PULL, receive_hwm=1)
        await pull.bind("tcp://*:5555")
        push = here.socket(triomq.PUSH, send_hwm=1)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        net.pause("b")
        gave_up: list[int] = []

        async def sender(place: int, patience: float) -> None:
            with trio.move_on_after(patience) as scope:
                await push.send(pad(100)(place))
            if scope.cancelled_caught:
                gave_up.append(place)

        for place in range(40):
            nursery.start_soon(sender, place, dice.choice([1.0, 1e6]))
            await trio.sleep(0.001)
        await trio.sleep(dice.uniform(2, 5))
        net.resume("b")
        while len(received) < 40 - len(gave_up):
            received.append(number(await pull.receive()))
            await trio.sleep(dice.uniform(0, 0.1))
        nursery.cancel_scope.cancel()
    assert gave_up
    assert received == [place for place in range(40) if place not in gave_up]


@promise(9, 5)
async def test_a_router_shared_by_a_crew_of_workers(net, rough, dice) -> None:
    """Each takes a request, works for a while, and answers on the same socket, while clients come and go."""
    names = ["c0", "c1", "c2"]
    rough("server", *names)
    finished: list[str] = []

    async def worker(router: triomq.ROUTER) -> None:
        while True:
            envelope = None
            with patience(dice, 1.0):
                envelope = await router.receive()
            if envelope is not None:
                await trio.sleep(dice.uniform(0, 1))
                await router.send(envelope)

    async def client(ctx: triomq.Context, name: str) -> None:
        dealer = ctx.socket(triomq.DEALER, heartbeat_interval=3.0, reconnect_interval_max=1.0)
        dealer.connect("tcp://server:5555")
        open_: set[bytes] = set()
        one = 0
        while one < 25 or open_:
            if one < 25 and len(open_) < 5:
                open_.add(b"%d" % one)
                await dealer.send(b"%d" % one)
                one += 1
                continue
            with trio.move_on_after(10) as scope:
                open_.discard(bytes(await dealer.receive()))
            if scope.cancelled_caught:
                for word in sorted(open_):  # lost with a connection: ask again
                    await dealer.send(word)
        finished.append(name)

    async with trio.open_nursery() as nursery, net.open_context("server") as ctx:
        router = ctx.socket(triomq.ROUTER, heartbeat_interval=3.0)
        await router.bind("tcp://*:5555")
        for _ in range(4):
            nursery.start_soon(worker, router)
        async with trio.open_nursery() as clients:
            for name in names:
                clients.start_soon(net.run_on, name, client, name)
            faults = ["reset", "process", "power", "pause", "partition"]
            clients.start_soon(lambda: storm(net, dice, "server", names, faults=faults, longest=3))
        nursery.cancel_scope.cancel()
    assert set(finished) == set(names)


@promise(9, 2)
async def test_a_request_at_a_time_and_the_second_is_told(net, rough, dice) -> None:
    """Two tasks on one REQ: one is served, the other gets BusyResourceError and harms nothing, through partitions."""
    rough("client", "server")
    async with trio.open_nursery() as nursery, net.open_context("client") as ctx:
        nursery.start_soon(net.run_on, "server", echo, 0.0)
        req = ctx.socket(triomq.REQ)
        req.connect("tcp://server:5555")
        await req.wait_peers()
        await trio.sleep(10)
        nursery.start_soon(storm, net, dice, "client", "server")
        counts = {"answered": 0, "busy": 0}

        async def ask(name: str) -> None:
            for one in range(25):
                word = f"{name}{one}".encode()
                try:
                    assert await req.request(word) == (b"reply", word)
                    counts["answered"] += 1
                except trio.BusyResourceError:
                    counts["busy"] += 1
                await trio.sleep(dice.choice([0, 0.1, 0.5]))

        async with trio.open_nursery() as both:
            both.start_soon(ask, "a")
            both.start_soon(ask, "b")
        assert counts["answered"] + counts["busy"] == 50
        assert counts["answered"] > 2
        nursery.cancel_scope.cancel()


@promise(9, 8)
async def test_another_thread_is_refused_and_leaves_no_trace(net, rough, dice) -> None:
    """At any time, in any weather: an error there, and nothing here."""
    rough("a", "b")
    received: list[int] = []
    async with trio.open_nursery() as nursery, net.open_context("b") as there, net.open_context("a") as here:
        pull = there.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        push = here.socket(triomq.PUSH, send_hwm=5)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        await pull.wait_peers()
        nursery.start_soon(receive_impatiently, pull, dice, received)
        nursery.start_soon(storm, net, dice, "a", "b")
        calls: list[Callable[[], object]] = [
            lambda: push.send_nowait(b"-1"),
            lambda: pull.receive_nowait(),
            lambda: push.connect("tcp://c:1"),
            lambda: push.disconnect("tcp://b:5555"),
            lambda: push.send(b"-1").send(None),
            lambda: pull.receive().send(None),
            lambda: push.aclose().send(None),
            lambda: here.socket(triomq.PUB),
        ]

        def elsewhere(call: Callable[[], object]) -> None:
            with pytest.raises(triomq.WrongThreadError):
                call()
            refused.append(call)

        refused: list[Callable[[], object]] = []
        for one in range(40):
            await push.send(b"%d" % one)
            thread = threading.Thread(target=elsewhere, args=(dice.choice(calls),))
            thread.start()
            thread.join()  # nothing else runs meanwhile: the schedule is the same each time
            await trio.sleep(dice.uniform(0, 0.5))
        await trio.sleep(60)
        assert push.endpoints == ("tcp://b:5555",)
        nursery.cancel_scope.cancel()
    assert len(refused) == 40
    assert received == list(range(40))
