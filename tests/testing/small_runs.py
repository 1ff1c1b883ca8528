"""Small runs that diagrams are made of."""

from __future__ import annotations

import trio

import triomq
from triomq.testing import VirtualNetwork


async def exchange(net: VirtualNetwork) -> None:
    """One request, one reply."""
    async with net.open_context("client") as a, net.open_context("server") as b:
        rep = b.socket(triomq.REP)
        await rep.bind("tcp://*:5555")
        req = a.socket(triomq.REQ)
        req.connect("tcp://server:5555")
        await req.send(b"Hello")
        assert await rep.receive() == (b"Hello",)
        await rep.send(b"World")
        await req.receive()
        net.note("both know")


async def connect_before_bind(net: VirtualNetwork) -> None:
    """A server that is late."""
    async with net.open_context("client") as a, net.open_context("server") as b:
        push = a.socket(triomq.PUSH, reconnect_interval_max=1.0)
        push.connect("tcp://server:5555")
        await push.send(b"early")
        await trio.sleep(5)
        pull = b.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        await pull.receive()


async def everything_goes_wrong(net: VirtualNetwork) -> None:
    """A crash, a partition, a pause and a cut."""
    async with trio.open_nursery() as nursery:

        async def serve(ctx: triomq.Context) -> None:
            pull = ctx.socket(triomq.PULL)
            await pull.bind("tcp://*:5555")
            async for _ in pull:
                pass

        nursery.start_soon(net.run_on, "b", serve)
        async with net.open_context("a") as ctx:
            push = ctx.socket(triomq.PUSH, linger=0, reconnect_interval=1.0, reconnect_interval_max=1.0)
            await trio.sleep(0.5)
            push.connect("tcp://b:5555")
            await push.send(b"one")
            await trio.sleep(1)
            net.partition("a", "b")
            await push.send(b"two")
            await trio.sleep(0.1)
            await push.send(b"three")
            net.heal()
            await trio.sleep(1)
            net.pause("b")
            await push.send(b"four")
            await trio.sleep(60)
            net.resume("b")
            net.crash("b", how="process")
            await trio.sleep(0.1)
            net.restart("b")
            await trio.sleep(3)
            net.cut("a", "b")
        nursery.cancel_scope.cancel()


async def nothing(net: VirtualNetwork) -> None:
    """Nothing at all."""
