"""What is left of a connection that ended as it was written to."""

from __future__ import annotations

import gc

import trio

import triomq
from triomq.testing import VirtualNetwork

from ..monitors import next_event


async def test_no_cycle_keeps_the_reason_and_with_it_the_pipe(virtual_network: VirtualNetwork) -> None:
    """The reader has met with the end as well, and its reason is the one that is told."""
    net = virtual_network
    async with net.open_context("a") as ctx, net.open_context("b") as there:
        pull, push = there.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        monitor = push.monitor()
        push.connect(await pull.bind("tcp://*:5555"))
        await push.wait_peers()
        await trio.sleep(1)
        gc.collect()
        gc.disable()
        try:
            net.cut("a", "b")
            await push.send(b"into the broken connection")
            await next_event(monitor, triomq.Disconnected)
            errors = [one for one in gc.get_objects() if isinstance(one, trio.BrokenResourceError)]
            assert [error for error in errors if error.__traceback__ is not None] == []
        finally:
            gc.enable()
