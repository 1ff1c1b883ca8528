"""Promise 10: after the context is left there is no task, descriptor or reference cycle of ours.

Every scenario is looked after for tasks, connections and listeners by its fixture `net`; those here look closer.
"""

from __future__ import annotations

import gc
import weakref
from functools import partial

import pytest
import trio

import triomq

from .actors import bound_pull, echo, number, publish, receive_into
from .liar import GREETING, dial, say
from .promises import promise
from .weather import storm

pytestmark = pytest.mark.virtual_seeds(4)
FAULTS = ["none", "reset", "black hole", "partition", "pause", "power", "process", "half a handshake"]


async def busy_life(
    net, dice, ctx: triomq.Context, fault: str, held: list[triomq.Socket] | None = None
) -> list[weakref.ref[object]]:
    """Use sockets of every kind, let something go wrong, and be in the middle of it all.

    Args:
      held: is given the sockets, for a program that goes on.
    Returns: what shall go.
    """
    push = ctx.socket(triomq.PUSH, heartbeat_interval=1.0, send_hwm=10, linger=dice.choice([0.0, 2.0]))
    push.connect("tcp://b:5555")
    push.connect("tcp://nobody:1")
    router = ctx.socket(triomq.ROUTER, linger=0)
    await router.bind("tcp://*:7777")
    await router.bind("inproc://router")
    dealer = ctx.socket(triomq.DEALER, linger=0)
    dealer.connect("inproc://router")
    req = ctx.socket(triomq.REQ, linger=0)
    req.connect("tcp://b:5556")
    sub = ctx.socket(triomq.SUB, topics=["a", "b"])
    sub.connect("tcp://b:5557")
    monitor = push.monitor()
    if held is not None:
        held += [push, router, dealer, req, sub]
    await dealer.send(b"hello")
    if fault == "half a handshake":
        async with dial(net, "evil", "a:7777") as stream:
            await say(stream, GREETING[:20])
            await trio.sleep(dice.uniform(0, 1))
    elif dice.random() < 0.8:
        await push.wait_peers()
    with trio.move_on_after(dice.uniform(0, 2)):
        await req.request(b"x")
    for _ in range(5):
        try:
            push.send_nowait(b"%d" % dice.randrange(100))
        except trio.WouldBlock:
            break
    if fault == "reset":
        net.cut("a", "b")
    elif fault == "black hole":
        net.cut("a", "b", how="black hole")
    elif fault == "partition":
        net.partition("a", "b")
    elif fault == "pause":
        net.pause("b")
    elif fault in ("power", "process"):
        net.crash("b", how=fault)
    await trio.sleep(dice.uniform(0, 5))
    ours = (ctx, push, router, dealer, req, sub, monitor)
    return [weakref.ref(one) for one in ours]


@promise(10, 6)
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_context_left_during_any_fault(net, dice, fault) -> None:
    """Its sockets are gone without the help of the garbage collector, and the ports are free."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "b", bound_pull, [])
        net.link("a", "nobody")
        gc.disable()
        try:
            async with net.open_context("a") as ctx:
                gone = await busy_life(net, dice, ctx, fault)
                del ctx
            await trio.lowlevel.checkpoint()
            assert [one() for one in gone if one() is not None] == []
        finally:
            gc.enable()
        mine = net._fabric.hosts["a"]
        assert not mine.listeners
        async with net.open_context("a") as ctx:
            assert await ctx.socket(triomq.PULL).bind("tcp://*:7777") == "tcp://a:7777"
        net.resume("b")
        nursery.cancel_scope.cancel()


@promise(10, 6)
async def test_an_exception_of_the_users_comes_out_as_it_was(net, dice) -> None:
    """In no group, at once or after the linger, in the middle of a fault; and nothing stays."""

    class OwnError(Exception):
        pass

    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "b", bound_pull, [])
        net.link("a", "nobody")
        for fault in dice.sample(FAULTS, 2):
            gone = []
            with pytest.raises(OwnError) as caught:
                async with net.open_context("a") as ctx:
                    gone = await busy_life(net, dice, ctx, fault)
                    raise OwnError("in the middle of it")
            assert caught.value.args == ("in the middle of it",)
            assert caught.value.__cause__ is None
            del caught, ctx
            net.heal()
            net.resume("b")
            net.restart("b")
            await trio.sleep(60)
            gc.collect()
            assert [one() for one in gone if one() is not None] == []
        nursery.cancel_scope.cancel()


@promise(10, 5)
async def test_contexts_come_and_go_before_a_server_that_does_too(net, rough, dice) -> None:
    """Fifty of them, each left at its own time: tasks, connections and sockets are no more in the end."""
    rough("client", "server")

    async def client() -> None:
        async with net.open_context("client") as ctx:
            req = ctx.socket(triomq.REQ, linger=0, reconnect_interval_max=0.5)
            req.connect("tcp://server:5555")
            with trio.move_on_after(dice.uniform(0, 1)):
                while True:
                    assert await req.request(b"x") == (b"reply", b"x")
                    await trio.sleep(0.02)  # where links have no latency, requests take no time

    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "server", echo)
        nursery.start_soon(
            lambda: storm(net, dice, "client", "server", faults=["power", "process", "reset"], times=1000, longest=1)
        )
        await trio.sleep(1)
        for _ in range(10):
            async with trio.open_nursery() as five:
                for _ in range(5):
                    five.start_soon(client)
        net.restart("server")
        nursery.cancel_scope.cancel()
    await trio.sleep(1000)
    assert not net._fabric.hosts["client"].streams
    assert not net._fabric.hosts["server"].streams
    assert not net._fabric.hosts["client"].scopes


@promise(10, 6)
async def test_a_host_that_dies_in_the_middle_of_everything(net, rough, dice) -> None:
    """Its program, with sockets of every kind, is gone in no time, again and again; the next one starts afresh."""
    rough("a", "b")
    lives = 0

    async def program(ctx: triomq.Context) -> None:
        nonlocal lives
        lives += 1
        held: list[triomq.Socket] = []
        await busy_life(net, dice, ctx, "none", held)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(publish, ctx, 0.5)
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        net.link("a", "nobody")
        nursery.start_soon(net.run_on, "b", bound_pull, [])
        nursery.start_soon(net.run_on, "a", program)
        for _ in range(6):
            await trio.sleep(dice.uniform(0, 8))
            now = trio.current_time()
            net.crash("a", how=dice.choice(["power", "process"]))
            await trio.testing.wait_all_tasks_blocked()
            assert trio.current_time() == now
            assert not net._fabric.hosts["a"].scopes
            await trio.sleep(dice.uniform(0, 3))
            net.restart("a")
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert lives == 7


@promise(10, 1, 6)
async def test_a_proxy_that_is_paused_and_ended_leaves_nothing_in_between(net, rough, dice) -> None:
    """pause, resume and terminate at any time: another proxy goes on where the last one stopped."""
    rough("a", "proxy", "b")
    received: list[int] = []

    async def source(ctx: triomq.Context) -> None:
        push = ctx.socket(triomq.PUSH, send_hwm=3, linger=600)
        push.connect("tcp://proxy:5555")
        await push.wait_peers()
        for one in range(120):
            await push.send(b"%d" % one)
            await trio.sleep(dice.uniform(0, 0.2))

    async with trio.open_nursery() as nursery, net.open_context("proxy") as ctx, net.open_context("b") as there:
        sink = there.socket(triomq.PULL, receive_hwm=3)
        await sink.bind("tcp://*:5555")
        nursery.start_soon(receive_into, sink, received)
        inlet, outlet = ctx.socket(triomq.PULL, receive_hwm=3), ctx.socket(triomq.PUSH, send_hwm=3)
        await inlet.bind("tcp://*:5555")
        outlet.connect("tcp://b:5555")
        nursery.start_soon(net.run_on, "a", source)
        for socket in (inlet, outlet, sink):
            await socket.wait_peers()
        nursery.start_soon(storm, net, dice, "proxy", ["a", "b"])
        moved = 0
        for _ in range(6):
            async with trio.open_nursery() as one:
                handle = await one.start(triomq.proxy, inlet, outlet)
                await trio.sleep(dice.uniform(0, 2))
                handle.pause()
                await trio.testing.wait_all_tasks_blocked()
                resting = handle.statistics().messages_forward
                await trio.sleep(dice.uniform(0, 3))
                assert handle.statistics().messages_forward == resting
                handle.resume()
                await trio.sleep(dice.uniform(0, 2))
                if dice.random() < 0.5:
                    handle.terminate()
                else:
                    one.cancel_scope.cancel()
            moved += handle.statistics().messages_forward
            await trio.sleep(dice.uniform(0, 2))
        nursery.start_soon(partial(triomq.proxy, inlet, outlet))
        await trio.sleep(200)
        assert received[:moved] == list(range(moved))
        nursery.cancel_scope.cancel()
    assert received == list(range(120))


@promise(10, 8)
async def test_a_bind_that_is_cancelled_binds_nothing(net, dice) -> None:
    """At any step of it; the port can be had at once, and who tries to connect meanwhile finds nobody or all of it."""
    received: list[int] = []
    async with trio.open_nursery() as nursery, net.open_context("b") as ctx, net.open_context("a") as here:
        push = here.socket(triomq.PUSH, reconnect_interval_max=0.5)
        push.connect("tcp://b:5555")
        await push.send(b"1")
        for _ in range(20):
            pull = ctx.socket(triomq.PULL)
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as race:
                    race.start_soon(pull.bind, "tcp://*:5555")
                    for _ in range(dice.randrange(4)):
                        await trio.lowlevel.checkpoint()
                    scope.cancel()
            assert len(pull.endpoints) == len(net._fabric.hosts["b"].listeners)
            await pull.aclose()
            assert not net._fabric.hosts["b"].listeners
            await trio.sleep(dice.uniform(0, 0.3))
        pull = ctx.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        await push.send(b"2")
        received.extend([number(await pull.receive())])
        assert received[-1] in (1, 2)
        nursery.cancel_scope.cancel()
