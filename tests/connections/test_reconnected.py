"""A peer whose connection breaks, and who comes back by another one."""

from __future__ import annotations

import trio

import triomq
from triomq.testing import VirtualNetwork


async def test_what_it_sent_before_comes_before_what_it_sends_then(virtual_network: VirtualNetwork) -> None:
    """The bound side has a pipe for each connection; that of the dead one is emptied before the new one's turn."""
    net = virtual_network
    async with net.open_context("a") as here, net.open_context("b") as there:
        pull = there.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        push = here.socket(triomq.PUSH)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        await push.send_many(b"%d" % number for number in range(10))
        await trio.sleep(1)  # they have arrived, and nobody receives
        net.cut("a", "b")
        await trio.sleep(1)
        await push.wait_peers()
        await push.send_many(b"%d" % number for number in range(10, 20))
        await trio.sleep(1)
        assert [int(bytes(await pull.receive())) for _ in range(20)] == list(range(20))


async def test_others_wait_for_that_no_longer_than_it_takes(virtual_network: VirtualNetwork) -> None:
    """Those who are there take turns as ever, and so do they when the backlog is done with."""
    net = virtual_network
    async with net.open_context("a") as here, net.open_context("b") as there, net.open_context("c") as elsewhere:
        pull = there.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        pushers = {name: ctx.socket(triomq.PUSH) for name, ctx in (("a", here), ("c", elsewhere))}
        for name, push in pushers.items():
            push.connect("tcp://b:5555")
            await push.wait_peers()
            await push.send_many(name.encode() for _ in range(5))
        await trio.sleep(1)
        net.cut("a", "b")
        await trio.sleep(1)
        await pushers["a"].wait_peers()
        await pushers["a"].send_many([b"new"] * 3)
        await trio.sleep(1)
        received = [(await pull.receive()).text() for _ in range(13)]
        assert received == ["a"] * 5 + ["c", "new"] * 3 + ["c"] * 2
