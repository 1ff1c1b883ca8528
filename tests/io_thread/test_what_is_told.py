"""What is told of peers and limits is the same as without the thread."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork

from ..monitors import drain


@pytest.mark.parametrize("who", ["peer", "we"])
async def test_an_event_of_an_end_names_the_peer(virtual_network: VirtualNetwork, who: str) -> None:
    """Though the pipe is gone when it comes, at an endpoint that is bound, and though the socket is closing."""
    async with virtual_network.open_context(io_thread=True) as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        monitor = pull.monitor()
        push.connect(await pull.bind("tcp://*:5555"))
        await pull.wait_peers()
        (peer,) = pull.peers
        if who == "peer":
            await push.aclose()
            await pull.wait_peers(0)
        await pull.aclose()
        (end,) = [event async for event in monitor if isinstance(event, triomq.Disconnected)]
        assert end.peer == peer


async def test_the_most_frames_are_as_many_as_without_the_thread(virtual_network: VirtualNetwork) -> None:
    """A ROUTER puts one before those that came; room is kept for one, and not for two."""
    async with virtual_network.open_context(io_thread=True) as ctx:
        router, dealer = ctx.socket(triomq.ROUTER, max_frames=10), ctx.socket(triomq.DEALER)
        dealer.connect(await router.bind("tcp://*:5555"))
        await dealer.send([b"it"] * 9)
        assert len(await router.receive()) == 10
        monitor = router.monitor()
        await dealer.send([b"it"] * 10)
        await trio.sleep(1)
        (end,) = [event for event in drain(monitor) if isinstance(event, triomq.Disconnected)]
        assert "a message of more than 9 frames" in str(end.error)


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="the kernel tells no processes")
async def test_the_process_of_a_peer_is_known(tmp_path: Path) -> None:
    async with triomq.open_context(io_thread=True) as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        push.connect(await pull.bind(f"ipc://{tmp_path}/it"))
        with trio.fail_after(60):
            await pull.wait_peers()
            await push.wait_peers()
        own = triomq.PeerProcess(os.getpid(), os.getuid(), os.getgid())
        assert [one.peers[0].process for one in (pull, push)] == [own, own]
