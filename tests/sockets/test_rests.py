"""What was queued, or half written, when a peer went away: whose it is then."""

from __future__ import annotations

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from .played import TOO_MUCH, PlayedPeer

LONG = b"x" * TOO_MUCH


async def lost(socket: triomq.Socket) -> None:
    """Wait until the socket has noticed that its peer is gone."""
    events = socket.monitor()
    while socket.peers:
        await events.receive()


async def test_a_request_given_up_half_written_is_not_sent_to_the_next_peer(virtual_network: VirtualNetwork) -> None:
    """Else its reply, which bears no id, would be taken for that of the next request."""
    async with virtual_network.open_context() as ctx, PlayedPeer(virtual_network, "REP") as peer:
        req = ctx.socket(triomq.REQ, linger=0, reconnect_interval=0.01)
        req.connect(peer.endpoint)
        await peer.greet()
        await req.wait_peers()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(req.request, b"first" + LONG)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        await peer.leave()
        await lost(req)
        rep = ctx.socket(triomq.REP, linger=0)
        await rep.bind(peer.endpoint)
        async with trio.open_nursery() as nursery:

            async def answer() -> None:
                while True:
                    await rep.send(b"reply to " + (await rep.receive())[0][:6])

            nursery.start_soon(answer)
            assert await req.request(b"second") == (b"reply to second",)
            nursery.cancel_scope.cancel()


async def test_a_subscription_that_did_not_leave_is_forgotten_with_the_peer(virtual_network: VirtualNetwork) -> None:
    """The next publisher is told what is subscribed to then, once, and nothing else."""
    async with virtual_network.open_context() as ctx, PlayedPeer(virtual_network, "XPUB") as peer:
        sub = ctx.socket(triomq.SUB, linger=0, reconnect_interval=0.01)
        sub.connect(peer.endpoint)
        await peer.greet()
        await sub.wait_peers()
        topics = [b"%03d" % number + bytes(60_000) for number in range(TOO_MUCH // 60_000)]
        for topic in topics:
            sub.subscribe(topic)
        await trio.testing.wait_all_tasks_blocked()
        await peer.leave()
        await lost(sub)
        for topic in topics:
            sub.unsubscribe(topic)
        sub.subscribe("wanted")
        xpub = ctx.socket(triomq.XPUB)
        await xpub.bind(peer.endpoint)
        await xpub.wait_subscribers("wanted")
        assert await xpub.receive() == (b"\1wanted",)
        with pytest.raises(trio.WouldBlock):
            xpub.receive_nowait()


async def test_conflate_keeps_the_newest_even_if_an_older_one_was_half_written(virtual_network: VirtualNetwork) -> None:
    """The older one counts as dropped."""
    async with virtual_network.open_context() as ctx, PlayedPeer(virtual_network, "PULL") as peer:
        push = ctx.socket(triomq.PUSH, conflate=True, linger=0, reconnect_interval=0.01)
        push.connect(peer.endpoint)
        await peer.greet()
        await push.wait_peers()
        await push.send(b"old" + LONG)
        await trio.testing.wait_all_tasks_blocked()
        await push.send(b"newest")
        await peer.leave()
        await lost(push)
        pull = ctx.socket(triomq.PULL)
        await pull.bind(peer.endpoint)
        assert await pull.receive() == (b"newest",)
        assert push.statistics().messages_dropped == 1


async def test_there_is_room_for_what_was_written_whole_when_the_peer_left(virtual_network: VirtualNetwork) -> None:
    """Who waited for room sends, into the queue that is kept, and need not wait for the next peer."""
    async with virtual_network.open_context() as ctx, PlayedPeer(virtual_network, "PULL") as peer:
        push = ctx.socket(triomq.PUSH, send_hwm=20, send_buffer=65536, linger=0)
        push.connect(peer.endpoint)
        await peer.greet()
        await push.wait_peers()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(push.send_many, iter([bytes(TOO_MUCH // 20)] * 100))
            await peer.read(TOO_MUCH // 4)
            await peer.leave()
            await lost(push)
            await trio.testing.wait_all_tasks_blocked()
            (left,) = push.statistics().peers
            assert left.messages_sent > 1
            assert left.send_queue == 20
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://it"])
async def test_conflate_keeps_every_subscription(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """Messages are replaced by newer ones; subscriptions are not."""
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(triomq.PUB)
        sub = ctx.socket(triomq.SUB, topics=["a", "b", "c"], conflate=True)
        sub.connect(await pub.bind(endpoint))
        for topic in "abc":
            await pub.wait_subscribers(topic)
