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


async def test_each_message_is_sent_or_dropped_or_queued_at_every_moment(virtual_network: VirtualNetwork) -> None:
    """Also one that has just made way for a newer one in the I/O run."""
    async with virtual_network.open_context(io_thread=True) as ctx:
        push = ctx.socket(triomq.PUSH, conflate=True, linger=0)
        push.connect("tcp://127.0.0.1:5555")
        for accepted in range(1, 10):
            await push.send(b"it")
            for _ in range(5):
                now = push.statistics()
                (row,) = now.peers
                assert now.messages_sent + now.messages_dropped + row.send_queue == accepted
                assert row.messages_dropped == now.messages_dropped
                await trio.lowlevel.checkpoint()


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


def told_by(monitor: triomq.Monitor) -> list[tuple[str, str, bool]]:
    """What has happened over tcp: the event, whose it is, and whether that peer was named."""
    return [
        (type(event).__name__, type(getattr(event, "error", None)).__name__, getattr(event, "peer", None) is not None)
        for event in drain(monitor)
        if event.endpoint.startswith("tcp://")
    ]


@pytest.mark.parametrize("io_thread", [False, True])
@pytest.mark.parametrize("role", ["bind", "connect"])
@pytest.mark.parametrize("leaves", ["who has the place", "who waits", "the socket"])
async def test_a_peer_is_told_of_when_it_has_its_place(
    virtual_network: VirtualNetwork, io_thread: bool, role: str, leaves: str
) -> None:
    """A peer over inproc has it, of which the thread knows nothing."""
    async with (
        virtual_network.open_context("a", io_thread=io_thread) as ctx,
        virtual_network.open_context("b") as there,
    ):
        one = ctx.socket(triomq.ROUTER)
        near, far = (context.socket(triomq.DEALER, routing_id=b"same") for context in (ctx, there))
        near.connect(await one.bind("inproc://it"))
        monitor = one.monitor()
        if role == "bind":
            await one.bind("tcp://*:5555")
            far.connect("tcp://a:5555")
        else:
            await far.bind("tcp://*:5555")
            one.connect("tcp://b:5555")
        await far.send(b"from afar")
        await trio.sleep(1)
        assert told_by(monitor)[-1] == ("HandshakeFailed", "PeerUnwantedError", True)
        if leaves == "who waits":
            await far.aclose()
            await trio.sleep(1)
            assert told_by(monitor)[0] == ("HandshakeFailed", "BrokenResourceError", False)
            return
        if leaves == "the socket":
            await one.aclose()
            await trio.sleep(1)
            assert [kind for kind, *_ in told_by(monitor)] == ["ListeningStopped"] * (role == "bind")
            return
        await near.aclose()
        assert await one.receive() == (b"same", b"from afar")
        await trio.sleep(1)
        assert told_by(monitor) == [("HandshakeSucceeded", "NoneType", True)]
        assert one.peers[0].endpoint.startswith("tcp://")
