"""Peer.disconnect: one connection ends by this program's choice, and no other."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from .played import PlayedPeer

settled = trio.testing.wait_all_tasks_blocked
every_endpoint = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:5555", "inproc://it"])


def ends_in(monitor: triomq.Monitor) -> list[triomq.Disconnected]:
    """The ends of connections that were told so far."""
    told = []
    while True:
        try:
            event = monitor.receive_nowait()
        except (trio.WouldBlock, trio.EndOfChannel):
            return told
        if isinstance(event, triomq.Disconnected):
            told.append(event)


async def test_one_of_two_peers_is_disconnected(virtual_network: VirtualNetwork) -> None:
    """The other one stays; the event says who did it; a peer that dials comes back, as another connection."""
    async with virtual_network.open_context() as ctx:
        router, dealers = (
            ctx.socket(triomq.ROUTER),
            [ctx.socket(triomq.DEALER, routing_id=name) for name in (b"a", b"b")],
        )
        monitor = router.monitor()
        endpoint = await router.bind("tcp://127.0.0.1:0")
        for dealer in dealers:
            dealer.connect(endpoint)
        await router.wait_peers(2)
        first, second = router.peers
        first.disconnect()
        first.disconnect()  # changes nothing
        await settled()
        assert router.peers == (second,)
        await router.wait_peers(2)
        (end,) = ends_in(monitor)
        assert end.peer == first
        assert isinstance(end.error, triomq.PeerUnwantedError)
        assert "this program has disconnected" in str(end.error)
        back = router.peers[-1]
        assert back.routing_id == first.routing_id
        assert back != first
        first.disconnect()  # that connection has ended: this is another one
        await settled()
        assert len(router.peers) == 2


async def test_the_peer_still_gets_what_was_queued_for_it(virtual_network: VirtualNetwork) -> None:
    """Even if it reads slowly, and sends meanwhile; and nothing that is sent after the call."""
    async with virtual_network.open_context() as ctx:
        router = ctx.socket(triomq.ROUTER, linger=math.inf, router_mandatory=True)
        dealer = ctx.socket(triomq.DEALER, routing_id=b"a", receive_hwm=1, immediate=True)
        dealer.connect(await router.bind("tcp://127.0.0.1:0"))
        await router.wait_peers()
        await router.send_many([[b"a", bytes(100_000)]] * 50)
        await router.send([b"a", b"the last"])
        router.peers[0].disconnect()
        with pytest.raises(triomq.UnroutableError):
            await router.send([b"a", b"too late"])
        await dealer.send_many([b"unread"] * 10)
        sizes = [len(bytes(await dealer.receive())) for _ in range(51)]
        assert sizes == [100_000] * 50 + [len(b"the last")]
        assert router.messages_dropped == 0


@pytest.mark.parametrize("linger", [0, 5.0])
async def test_a_peer_that_does_not_read_is_gone_when_linger_is_over(
    virtual_network: VirtualNetwork, linger: float
) -> None:
    """What it did not take is dropped, and counted."""
    async with virtual_network.open_context() as ctx, PlayedPeer(virtual_network, "PULL") as peer:
        push = ctx.socket(triomq.PUSH, linger=linger)
        await peer.dial(await push.bind("tcp://127.0.0.1:0"))
        await push.wait_peers()
        await push.send_many([bytes(100_000)] * 50)
        began = trio.current_time()
        push.peers[0].disconnect()
        await push.wait_peers(0)
        assert trio.current_time() - began == linger
        statistics = push.statistics()
        assert statistics.messages_dropped > 0
        assert statistics.messages_sent + statistics.messages_dropped == 50


async def test_a_peer_that_never_hangs_up_is_gone_when_linger_is_over(virtual_network: VirtualNetwork) -> None:
    """It was sent all there was, and told the end, and does nothing."""
    async with virtual_network.open_context() as ctx, PlayedPeer(virtual_network, "PULL") as peer:
        push = ctx.socket(triomq.PUSH, linger=5)
        await peer.dial(await push.bind("tcp://127.0.0.1:0"))
        await push.wait_peers()
        await push.send(b"it")
        push.peers[0].disconnect()
        began = trio.current_time()
        await push.wait_peers(0)
        assert trio.current_time() - began == 5
        assert push.messages_dropped == 0


@every_endpoint
async def test_a_peer_at_a_connected_endpoint_is_connected_to_again(
    virtual_network: VirtualNetwork, endpoint: str
) -> None:
    """What is queued waits for the next connection."""
    async with virtual_network.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH), ctx.socket(triomq.PULL)
        monitor = push.monitor()
        push.connect(await pull.bind(endpoint))
        await push.wait_peers()
        (peer,) = push.peers
        peer.disconnect()
        await push.send(b"later")
        assert await pull.receive() == (b"later",)
        (end,) = ends_in(monitor)
        assert isinstance(end.error, triomq.PeerUnwantedError)
        assert (end.retry_in is None) is endpoint.startswith("inproc")
        assert push.peers != (peer,) or endpoint.startswith("inproc")  # where no time has passed
        assert push.messages_dropped == 0


async def test_over_inproc_the_connecting_socket_is_back_at_once(virtual_network: VirtualNetwork) -> None:
    """There is no wait to make, and nothing to lose."""
    async with virtual_network.open_context() as ctx:
        router, dealer = ctx.socket(triomq.ROUTER), ctx.socket(triomq.DEALER)
        monitor = router.monitor()
        dealer.connect(await router.bind("inproc://it"))
        await dealer.send(b"1")
        router.peers[0].disconnect()
        await settled()
        await dealer.send(b"2")
        assert [message[1] for message in [await router.receive(), await router.receive()]] == [b"1", b"2"]
        (end,) = ends_in(monitor)
        assert isinstance(end.error, triomq.PeerUnwantedError)


async def test_the_peer_of_an_event_can_be_disconnected(virtual_network: VirtualNetwork) -> None:
    """As soon as it has come."""
    async with virtual_network.open_context() as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH, reconnect_interval=1000)
        monitor = pull.monitor()
        push.connect(await pull.bind("tcp://127.0.0.1:0"))
        async for event in monitor:
            if isinstance(event, triomq.HandshakeSucceeded):
                assert event.peer is not None
                event.peer.disconnect()
                break
        await pull.wait_peers(0)
        await settled()
        assert len(ends_in(monitor)) == 1


async def test_what_had_arrived_is_still_received(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH, reconnect_interval=1000)
        push.connect(await pull.bind("tcp://127.0.0.1:0"))
        await push.send(b"it")
        await settled()
        pull.peers[0].disconnect()
        await pull.wait_peers(0)
        assert await pull.receive() == (b"it",)


@pytest.mark.parametrize("io_thread", [False, True], ids=["", "in halves"])
@pytest.mark.parametrize("linger", [0, 5, math.inf])
async def test_a_task_that_waits_in_receive_waits_for_the_next_peer(
    virtual_network: VirtualNetwork, linger: float, io_thread: bool
) -> None:
    """That task reads its only connection by itself; when the connection is to end, somebody else does."""
    async with virtual_network.open_context(io_thread=io_thread) as ctx, trio.open_nursery() as nursery:
        router, dealer = ctx.socket(triomq.ROUTER, linger=linger), ctx.socket(triomq.DEALER, routing_id=b"a")
        dealer.connect(await router.bind("tcp://127.0.0.1:5555"))
        await router.wait_peers()
        await router.send([b"a", b"so that there is something to end in good order"])
        await dealer.receive()
        got: list[triomq.Message] = []

        async def receive() -> None:
            got.append(await router.receive())

        nursery.start_soon(receive)
        await settled()
        router.peers[0].disconnect()
        await settled()
        assert got == []
        await router.wait_peers()
        await dealer.send(b"it")
    assert got == [(b"a", b"it")]


async def test_its_place_is_free_at_once(virtual_network: VirtualNetwork) -> None:
    """For the next peer of a PAIR that waits."""
    async with virtual_network.open_context() as ctx:
        pair, first, second = (ctx.socket(triomq.PAIR, reconnect_interval=1000) for _ in range(3))
        endpoint = await pair.bind("tcp://127.0.0.1:0")
        first.connect(endpoint)
        await pair.wait_peers()
        second.connect(endpoint)
        await second.send(b"at last")
        await settled()
        pair.peers[0].disconnect()
        assert await pair.receive() == (b"at last",)


async def test_another_thread_is_refused() -> None:
    async with triomq.open_context() as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        push.connect(await pull.bind("inproc://it"))
        (peer,) = pull.peers
        with pytest.raises(triomq.WrongThreadError, match=r"Peer\.disconnect"):
            await trio.to_thread.run_sync(peer.disconnect)
        assert pull.peers == (peer,)


@pytest.mark.parametrize("how", ["closed", "context left"])
async def test_a_peer_of_a_socket_that_is_gone_has_nothing_to_end(virtual_network: VirtualNetwork, how: str) -> None:
    async with virtual_network.open_context() as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        push.connect(await pull.bind("tcp://127.0.0.1:0"))
        await pull.wait_peers()
        (peer,) = pull.peers
        if how == "closed":
            await pull.aclose()
            peer.disconnect()
    peer.disconnect()


async def test_closing_ends_what_is_being_disconnected(virtual_network: VirtualNetwork) -> None:
    """A cancelled aclose waits for nobody."""
    async with virtual_network.open_context() as ctx, PlayedPeer(virtual_network, "PULL") as peer:
        push = ctx.socket(triomq.PUSH, linger=math.inf)
        await peer.dial(await push.bind("tcp://127.0.0.1:0"))
        await push.wait_peers()
        await push.send_many([bytes(100_000)] * 50)
        push.peers[0].disconnect()
        await settled()
        with trio.CancelScope() as scope:
            scope.cancel()
            await push.aclose()
        assert push.messages_dropped > 0


def test_a_peer_that_was_made_by_hand_has_nothing_to_end() -> None:
    peer: Any = triomq.Peer(endpoint="tcp://a:1", address="tcp://b:2", socket_type="SUB", routing_id=b"")
    peer.disconnect()
    assert "disconnect" not in repr(peer)
