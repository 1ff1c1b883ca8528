"""An endpoint is given up at some step of a handshake, whatever has been said by then and was not read yet."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork

from ..monitors import drain

STEPS = 30
"""of trio's loop; a handshake takes fewer"""


async def steps(count: int) -> None:
    """Let the other tasks take so many steps."""
    for _ in range(count):
        await trio.lowlevel.checkpoint()


def count(events: list[triomq.MonitorEvent], kind: Any) -> int:
    return sum(isinstance(event, kind) for event in events)


@pytest.mark.parametrize("io_thread", [False, True])
@pytest.mark.parametrize("immediate", [False, True])
async def test_nobody_is_there_after_disconnect(
    virtual_network: VirtualNetwork, io_thread: bool, immediate: bool
) -> None:
    """Nobody is sent anything, nobody is admitted any more, and each who came is told to have left."""
    came = set()
    async with virtual_network.open_context(io_thread=io_thread) as ctx:
        for step in range(STEPS):
            pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH, immediate=immediate)
            monitor = push.monitor()
            endpoint = await pull.bind("tcp://127.0.0.1:0")
            push.connect(endpoint)
            await steps(step)
            push.disconnect(endpoint)
            assert push.peers == ()
            with pytest.raises(trio.WouldBlock):
                push.send_nowait(b"for nobody")
            before = drain(monitor)
            await trio.sleep(1)
            after = drain(monitor)
            assert not count(after, triomq.HandshakeSucceeded)
            assert count(after, triomq.Disconnected) == count(before, triomq.HandshakeSucceeded)
            assert pull.peers == ()
            came.add(count(before, triomq.HandshakeSucceeded))
            await push.aclose()
            await pull.aclose()
    assert came == {0, 1}


@pytest.mark.parametrize("io_thread", [False, True])
async def test_nobody_is_there_after_unbind(virtual_network: VirtualNetwork, io_thread: bool) -> None:
    """Not even a peer whose connection was accepted in that very step."""
    came = set()
    async with virtual_network.open_context(io_thread=io_thread) as ctx:
        for step in range(STEPS):
            pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
            monitor = pull.monitor()
            endpoint = await pull.bind("tcp://127.0.0.1:0")
            push.connect(endpoint)
            await steps(step)
            await pull.unbind(endpoint)
            events = drain(monitor)
            await trio.sleep(1)
            assert pull.peers == push.peers == ()
            after = drain(monitor)
            assert not count(after, triomq.HandshakeSucceeded)
            assert count(events + after, triomq.Disconnected) == count(events, triomq.HandshakeSucceeded)
            came.add(count(events, triomq.HandshakeSucceeded))
            await push.aclose()
            await pull.aclose()
    assert came == {0, 1}
