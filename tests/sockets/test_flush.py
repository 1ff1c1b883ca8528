"""flush: all that was accepted before the call has been handed to the system, or to a peer of this program."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

import triomq
import triomq.testing
from triomq.testing import VirtualNetwork
from triomq.zmtp import Subscribe

from ..cancellation.kit import NOBODY
from .played import PlayedPeer

settled = trio.testing.wait_all_tasks_blocked
LARGE = bytes(100_000)


async def test_flush_waits_until_the_connection_has_taken_all(virtual_network: VirtualNetwork) -> None:
    """And no longer: the peer reads, and receives nothing yet."""
    async with PlayedPeer(virtual_network, "PULL") as peer, virtual_network.open_context() as ctx:
        push = ctx.socket(triomq.PUSH, linger=0)
        push.connect(peer.endpoint)
        await peer.greet()
        await push.send_many([LARGE] * 20)
        async with trio.open_nursery() as nursery:
            flushed = trio.Event()

            async def flush() -> None:
                await push.flush()
                flushed.set()

            nursery.start_soon(flush)
            await settled()
            assert not flushed.is_set()
            assert push.statistics().peers[0].send_queue
            while not flushed.is_set():
                assert push.statistics().peers[0].send_queue
                await peer.read(50_000)
                await settled()
        assert push.statistics().peers[0].send_queue == 0
        assert push.statistics().messages_sent == 20


async def test_what_others_send_meanwhile_is_not_waited_for(virtual_network: VirtualNetwork) -> None:
    """However many they are, and however long it takes: each of two tasks waits for its own moment."""
    async with PlayedPeer(virtual_network, "PULL") as peer, virtual_network.open_context() as ctx:
        push = ctx.socket(triomq.PUSH, linger=0)
        push.connect(peer.endpoint)
        await peer.greet()
        await push.send_many([LARGE] * 20)
        sent_at: list[int] = []

        async def flush() -> None:
            await push.flush()
            sent_at.append(push.statistics().messages_sent)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(flush)
            await settled()
            await push.send_many([LARGE] * 100)
            nursery.start_soon(flush)
            await settled()
            await push.send_many([LARGE] * 400)
            while len(sent_at) < 2:
                await peer.read(50_000)
                push.send_nowait(LARGE)
                await settled()
        first, second = sent_at
        # The connection counts what it took whole; a batch has up to 64 of these messages.
        assert 20 <= first < 120 <= second <= 120 + 64
        assert push.statistics().peers[0].send_queue > 400


@pytest.mark.parametrize("endpoint", [NOBODY, "inproc://nobody"])
async def test_without_a_peer_flush_waits_for_one(virtual_network: VirtualNetwork, endpoint: str) -> None:
    """Connect before bind: the message is accepted and nobody has it. Cancelled, flush has changed nothing."""
    async with virtual_network.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH), ctx.socket(triomq.PULL)
        push.connect(endpoint)
        await push.flush()  # nothing was accepted
        await push.send(b"it")
        with trio.move_on_after(60) as scope:
            await push.flush()
        assert scope.cancelled_caught
        async with trio.open_nursery() as nursery:
            nursery.start_soon(push.flush)
            await settled()
            await pull.bind(endpoint)
        assert push.statistics().peers[0].send_queue == 0
        assert await pull.receive() == (b"it",)


@pytest.mark.parametrize("scheme", ["tcp", "inproc"])
async def test_over_a_connection_that_takes_all_flush_is_only_a_checkpoint(
    virtual_network: VirtualNetwork, scheme: str
) -> None:
    async with virtual_network.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH), ctx.socket(triomq.PULL)
        push.connect(await pull.bind("tcp://127.0.0.1:0" if scheme == "tcp" else "inproc://it"))
        await push.wait_peers()
        await push.send_many([b"1", b"2"])
        with trio.CancelScope() as scope:
            scope.cancel()
            await push.flush()
        assert scope.cancelled_caught
        with trio.testing.assert_checkpoints():
            await push.flush()
        assert push.statistics().messages_sent == 2


async def test_a_socket_that_is_closed_has_no_flush(virtual_network: VirtualNetwork) -> None:
    """Neither before nor meanwhile."""
    async with virtual_network.open_context() as ctx:
        push = ctx.socket(triomq.PUSH, linger=0)
        push.connect(NOBODY)
        await push.send(b"it")
        async with trio.open_nursery() as nursery:

            async def flush() -> None:
                with pytest.raises(trio.ClosedResourceError, match=r"PUSH\.flush"):
                    await push.flush()

            nursery.start_soon(flush)
            await settled()
            await push.aclose()
        with pytest.raises(trio.ClosedResourceError, match=r"PUSH\.flush"):
            await push.flush()


async def test_a_peer_that_leaves_is_waited_for_no_longer(virtual_network: VirtualNetwork) -> None:
    """What was queued for it is dropped, and counted."""
    async with PlayedPeer(virtual_network, "SUB") as peer, virtual_network.open_context() as ctx:
        pub = ctx.socket(triomq.PUB, linger=0)
        pub.connect(peer.endpoint)
        await peer.greet()
        await peer.say(Subscribe(b""))
        await pub.wait_subscribers(b"")
        await pub.send_many([LARGE] * 20)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pub.flush)
            await settled()
            await peer.leave()
        assert pub.messages_dropped > 0


@pytest.mark.parametrize("io_thread", [False, True], ids=["", "in halves"])
@pytest.mark.parametrize("seed", range(4))
def test_what_was_dropped_meanwhile_is_counted_when_flush_returns(seed: int, io_thread: bool) -> None:
    """The seed decides the order of three tasks: one sends, one flushes, one ends the connection."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context("a") as there, net.open_context("b", io_thread=io_thread) as ctx:
            pull, push = there.socket(triomq.PULL), ctx.socket(triomq.PUSH, immediate=True)
            push.connect(await pull.bind("tcp://*:5555"))
            await push.wait_peers()
            await trio.sleep(1)
            accepted = 0

            async def send() -> None:
                nonlocal accepted
                await push.send(b"it")
                accepted += 1

            async def flush() -> None:
                before = accepted
                await push.flush()
                statistics = push.statistics()
                assert statistics.messages_sent + statistics.messages_dropped >= before

            async with trio.open_nursery() as nursery:
                nursery.start_soon(send)
                nursery.start_soon(flush)
                push.peers[0].disconnect()

    triomq.testing.run(main, seed=seed)


async def test_a_message_that_is_taken_back_is_not_waited_for(virtual_network: VirtualNetwork) -> None:
    """A request that was given up before there was a peer."""
    async with virtual_network.open_context() as ctx:
        req = ctx.socket(triomq.REQ, linger=0)
        req.connect(NOBODY)
        async with trio.open_nursery() as nursery:
            with trio.move_on_after(10):
                async with trio.open_nursery() as requests:
                    requests.start_soon(req.request, b"it")
                    await settled()
                    nursery.start_soon(req.flush)
                    await settled()
                    assert len(nursery.child_tasks) == 1
                    requests.cancel_scope.cancel()
            await settled()
            assert not nursery.child_tasks


async def test_a_socket_that_is_disconnected_from_an_endpoint_still_flushes_what_it_had_for_it(
    virtual_network: VirtualNetwork,
) -> None:
    async with PlayedPeer(virtual_network, "PULL") as peer, virtual_network.open_context() as ctx:
        push = ctx.socket(triomq.PUSH, linger=1000)
        push.connect(peer.endpoint)
        await peer.greet()
        await push.send_many([LARGE] * 20)
        push.disconnect(peer.endpoint)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(push.flush)
            await settled()
            assert nursery.child_tasks
            await peer.read(20 * len(LARGE))
        assert push.statistics().messages_sent == 20


@pytest.mark.parametrize("types", [(triomq.PUSH, triomq.PULL), (triomq.DEALER, triomq.ROUTER)])
async def test_each_of_many_tasks_flushes_what_it_has_sent(
    virtual_network: VirtualNetwork, types: tuple[Any, Any]
) -> None:
    async with virtual_network.open_context() as ctx:
        sender, receiver = ctx.socket(types[0], send_hwm=3), ctx.socket(types[1], receive_hwm=3)
        sender.connect(await receiver.bind("tcp://127.0.0.1:0"))

        async def send_and_flush() -> None:
            for _ in range(20):
                await sender.send(LARGE)
                await sender.flush()

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(send_and_flush)
            for _ in range(100):
                await receiver.receive()
