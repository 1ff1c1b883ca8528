"""Promise 6: closing sends what is queued for up to linger, then stops; cancelled, it stops at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio

import triomq

from .actors import bound_pull, drain, number, pad
from .promises import promise
from .weather import strike

pytestmark = pytest.mark.virtual_seeds(4)
FAULTS = ["partition", "black hole", "pause", "power", "process"]


def spoil(net, fault: str) -> None:
    """Let something go wrong with b, or between a and b, for good."""
    if fault == "partition":
        net.partition("a", "b")
    elif fault == "black hole":
        net.cut("a", "b", how="black hole")
    elif fault == "pause":
        net.pause("b")
    else:
        net.crash("b", how=fault)


@promise(6)
@pytest.mark.parametrize("fault", FAULTS)
async def test_lingering_into_a_fault_ends_in_time(net, dice, fault) -> None:
    """To the tenth of a second, whether there is a connection to write to or none."""
    linger = dice.choice([0.0, 0.5, 30.0])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "b", bound_pull, [])
        async with net.open_context("a") as ctx:
            push = ctx.socket(triomq.PUSH, linger=linger, heartbeat_interval=0.0 if fault == "black hole" else 1.0)
            push.connect("tcp://b:5555")
            await push.wait_peers()
            spoil(net, fault)
            await trio.sleep(dice.uniform(0, 10))
            with trio.move_on_after(1):
                await push.send_many([(bytes(10_000), b"0")] * 100)
            start = trio.current_time()
            if dice.random() < 0.5:
                await push.aclose()
                assert trio.current_time() - start == pytest.approx(linger, abs=0.01)
        assert trio.current_time() - start == pytest.approx(linger, abs=0.01)
        net.resume("b")
        nursery.cancel_scope.cancel()


@promise(6, 5)
async def test_lingering_outlasts_a_partition_that_heals(net, rough, dice) -> None:
    rough("a", "b")
    received: list[int] = []
    async with trio.open_nursery() as nursery, net.open_context("b") as there:
        pull = there.socket(triomq.PULL, receive_hwm=7)
        await pull.bind("tcp://*:5555")

        async def sink() -> None:
            async for one, _ in pull:
                received.append(int(one))

        nursery.start_soon(sink)
        async with net.open_context("a") as ctx:
            push = ctx.socket(triomq.PUSH, linger=float("inf"))
            push.connect("tcp://b:5555")
            await push.wait_peers()
            await pull.wait_peers()  # or the partition may take the last step of the handshake, and what came after
            nursery.start_soon(strike, net, dice, "a", "b", "partition", 100.0)
            await trio.sleep(0.001)
            await push.send_many([b"%d" % one, bytes(2000)] for one in range(100))
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    assert received == list(range(100))


@promise(6, 5)
async def test_lingering_for_ever_waits_for_a_peer_that_is_not_there_yet(net, rough, dice) -> None:
    """The context is left before anybody has bound: its messages wait, and go; then it ends by itself."""
    rough("a", "b")
    received: list[int] = []
    comes = dice.uniform(10, 500)

    async def hand_in() -> None:
        async with net.open_context("a") as ctx:
            push = ctx.socket(triomq.PUSH, linger=float("inf"))
            push.connect("tcp://b:5555")
            for one in range(50):
                await push.send(b"%d" % one)
        left.append(trio.current_time())

    left: list[float] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hand_in)
        await trio.sleep(comes)
        assert not left
        nursery.start_soon(net.run_on, "b", bound_pull, received)
        await trio.sleep(100)
        assert comes < left[0] < comes + 60
        nursery.cancel_scope.cancel()
    assert received == list(range(50))


@promise(6, 3)
async def test_over_a_narrow_link_lingering_takes_as_long_as_the_octets_do(net, dice) -> None:
    """What did not get through in time is what came last; what got through is whole, and in order."""
    bandwidth = dice.choice([1000.0, 10_000.0])
    net.link("a", "b", bandwidth=bandwidth, send_buffer=1000, receive_buffer=4000)
    needed = 100 * 102 / bandwidth
    linger = dice.choice([0.2, 0.5, 2.0]) * needed
    async with net.open_context("b") as there:
        pull = there.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        async with net.open_context("a") as ctx:
            push = ctx.socket(triomq.PUSH, linger=linger)
            push.connect("tcp://b:5555")
            await push.wait_peers()
            await push.send_many(pad(100)(one) for one in range(100))
            start = trio.current_time()
        took = trio.current_time() - start
        received = list(map(number, await drain(pull)))
    assert received == list(range(len(received)))
    if linger > needed:
        assert len(received) == 100
        assert 0.8 * needed < took < 1.2 * needed
    else:
        assert took == pytest.approx(linger, abs=0.01)
        # What the kernel had taken it goes on sending, where it was not told to give up.
        assert linger / needed * 100 - 25 < len(received) < linger / needed * 100 + 25


@promise(6, 10)
@pytest.mark.parametrize("fault", [*FAULTS, "none"])
async def test_a_cancelled_scope_ends_at_once_whatever_the_fault(net, dice, fault) -> None:
    """In no time at all, with queues full and infinite lingers."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "b", bound_pull, [])
        with trio.CancelScope() as scope:
            async with net.open_context("a") as ctx:
                push = ctx.socket(triomq.PUSH, linger=float("inf"), send_hwm=10, heartbeat_interval=5.0)
                push.connect("tcp://b:5555")
                if dice.random() < 0.8:
                    await push.wait_peers()
                if fault != "none":
                    spoil(net, fault)
                await trio.sleep(dice.uniform(0, 20))
                ended = trio.current_time() + dice.uniform(0, 20)
                scope.deadline = ended
                while True:
                    await push.send([bytes(20_000), b"0"])
                    await trio.sleep(dice.choice([0, 0.1]))
        assert scope.cancelled_caught
        assert trio.current_time() == pytest.approx(ended, abs=1e-9)
        net.resume("b")
        nursery.cancel_scope.cancel()


@promise(6, 9)
async def test_whoever_is_blocked_on_a_socket_that_is_closed_learns_it_at_once(net, dice) -> None:
    """In every call there is, while there is a connection, after it was cut off, and where there never was one."""
    state = dice.choice(["connected", "cut off", "nobody"])
    net.link("a", "b")
    if state == "nobody":
        net.crash("b")
    async with trio.open_nursery() as nursery, net.open_context("a") as ctx:
        nursery.start_soon(net.run_on, "b", bound_pull, [])
        linger = dice.choice([0.0, 5.0])
        push = ctx.socket(triomq.PUSH, linger=linger, send_hwm=1)
        stuffed = ctx.socket(triomq.PUSH, linger=linger, send_hwm=1)
        req, busy = (ctx.socket(triomq.REQ, linger=linger, immediate=True) for _ in range(2))
        pub, pull, sub, dealer = (
            ctx.socket(kind, linger=linger) for kind in (triomq.PUB, triomq.PULL, triomq.SUB, triomq.DEALER)
        )
        await pub.bind("inproc://pub")
        push.connect("tcp://b:5555")
        stuffed.connect("tcp://nowhere:1")
        await stuffed.send(b"")
        req.connect("tcp://b:5556")
        busy.connect("inproc://rep")
        rep = ctx.socket(triomq.REP)
        await rep.bind("inproc://rep")
        sub.connect("inproc://pub")
        if state != "nobody":
            await push.wait_peers()
        if state == "cut off":
            net.partition("a", "b")
        calls: list[tuple[triomq.Socket, Callable[[], Awaitable[object]]]] = [
            (stuffed, lambda: stuffed.send(b"x")),
            (stuffed, lambda: stuffed.send_many([b"x"])),
            (stuffed, lambda: stuffed.send_many(iter([b"x"]))),
            (push, lambda: push.wait_peers(2)),
            (req, lambda: req.request(b"x")),
            (req, lambda: req.wait_peers()),
            (busy, lambda: busy.request(b"x")),
            (pub, lambda: pub.wait_subscribers("t")),
            (pull, lambda: pull.receive()),
            (pull, lambda: pull.receive_many(5)),
            (sub, lambda: sub.__anext__()),
            (dealer, lambda: triomq.merge(sub, dealer).receive()),
            (dealer, lambda: triomq.proxy(pull, dealer)),
            (dealer, lambda: dealer.send(b"x")),
        ]
        told: list[tuple[int, float]] = []
        closed: dict[triomq.Socket, float] = {}

        async def blocked(index: int, call: Callable[[], Awaitable[object]]) -> None:
            with pytest.raises(trio.ClosedResourceError):
                await call()
            told.append((index, trio.current_time()))

        async with trio.open_nursery() as waiting:
            for index, (_, call) in enumerate(calls):
                waiting.start_soon(blocked, index, call)
            await trio.sleep(dice.uniform(1, 20))
            assert told == []
            order = list(dict.fromkeys(socket for socket, _ in calls))
            dice.shuffle(order)
            async with trio.open_nursery() as closing:
                for socket in order:
                    closed[socket] = trio.current_time()
                    closing.start_soon(socket.aclose)
                    await trio.sleep(1)
        assert len(told) == len(calls)
        for index, when in told:
            first = min(closed[sub], closed[dealer]) if index == 11 else closed[calls[index][0]]
            first = min(closed[pull], closed[dealer]) if index == 12 else first
            assert when == pytest.approx(first, abs=1e-9)
        nursery.cancel_scope.cancel()


@promise(6, 1)
async def test_a_socket_that_is_closed_sends_what_it_has_accepted_and_no_more(net, rough, dice) -> None:
    """Tasks go on sending while it is closed under them: what returned arrives, what raised does not."""
    rough("a", "b")
    accepted: list[int] = []
    async with net.open_context("b") as there, net.open_context("a") as here:
        pull = there.socket(triomq.PULL, receive_hwm=5, receive_buffer=2000)
        await pull.bind("tcp://*:5555")
        push = here.socket(triomq.PUSH, send_hwm=5, linger=600, send_buffer=2000)
        push.connect("tcp://b:5555")
        await push.wait_peers()

        async def sender(first: int) -> None:
            one = first
            with pytest.raises(trio.ClosedResourceError):
                while True:
                    await push.send(pad(200)(one))
                    accepted.append(one)
                    one += 1

        async with trio.open_nursery() as nursery:
            for first in (0, 1000, 2000):
                nursery.start_soon(sender, first)
            await trio.sleep(dice.uniform(0, 2))
            nursery.start_soon(push.aclose)
            if dice.random() < 0.5:
                nursery.start_soon(strike, net, dice, "a", "b", dice.choice(["partition", "pause"]), 20.0)
            # As long as it lingers: if three probes are lost, TCP finds an open window only after minutes.
            received = list(map(number, await drain(pull, quiet=600)))
    assert sorted(received) == sorted(accepted)
