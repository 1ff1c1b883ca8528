"""Under which name a ROUTER knows a peer, when the name is given to another one, and what becomes of its queue."""

from __future__ import annotations

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

ENDPOINTS = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:5555", "inproc://it"])
NAMES = [b"A", b"B", b""]


async def gone(router: triomq.ROUTER) -> None:
    """Wait until the peer has left."""
    while router.peers:
        await router._peers.watchers.wait()


@ENDPOINTS
@pytest.mark.parametrize("next_name", NAMES)
@pytest.mark.parametrize("name", NAMES)
async def test_the_next_peer_at_an_endpoint(
    name: bytes, next_name: bytes, endpoint: str, virtual_network: VirtualNetwork
) -> None:
    """Only the one that bears the name gets what was queued for the name; else it is dropped, and counted."""
    async with virtual_network.open_context() as ctx:
        router = ctx.socket(triomq.ROUTER, router_mandatory=True)
        router.connect(endpoint)
        first = ctx.socket(triomq.DEALER, routing_id=name)
        await first.bind(endpoint)
        await first.send(b"here I am")
        known, _ = await router.receive()
        assert known == name if name else known[:1] == b"\0"
        await first.aclose()
        await gone(router)
        if name:
            await router.send([name, b"queued"])
            assert router.messages_dropped == 0
        else:
            with pytest.raises(triomq.UnroutableError):
                await router.send([known, b"queued"])
        second = ctx.socket(triomq.DEALER, routing_id=next_name)
        await second.bind(endpoint)
        await router.wait_peers()
        (peer,) = router.peers
        if name and name == next_name:
            assert bytes(await second.receive()) == b"queued"
            return
        assert peer.routing_id == next_name if next_name else peer.routing_id[:1] == b"\0"
        assert peer.routing_id != known
        assert router.messages_dropped == (1 if name else 0)
        with pytest.raises(triomq.UnroutableError):
            await router.send([known, b"for the first"])
        await router.send([peer.routing_id, b"for the second"])
        assert bytes(await second.receive()) == b"for the second"


async def test_who_waits_for_a_full_nameless_peer_learns_that_it_is_gone(virtual_network: VirtualNetwork) -> None:
    """And what was queued for it is dropped at once, because nobody can come back for it."""
    net = virtual_network
    async with net.open_context() as ctx, trio.open_nursery() as nursery:
        router = ctx.socket(triomq.ROUTER, router_mandatory=True, send_hwm=1, linger=0)
        router.connect("tcp://127.0.0.1:5555")
        async with net.open_context() as there:
            dealer = there.socket(triomq.DEALER, receive_hwm=1)
            await dealer.bind("tcp://127.0.0.1:5555")
            await dealer.send(b"here I am")
            known, _ = await router.receive()
            refused = trio.Event()

            async def fill() -> None:
                with pytest.raises(triomq.UnroutableError):
                    while True:
                        await router.send([known, bytes(100_000)])
                refused.set()

            nursery.start_soon(fill)
            await trio.testing.wait_all_tasks_blocked(0.1)
            assert not refused.is_set()
        with trio.fail_after(1):
            await refused.wait()
        assert router.messages_dropped > 0
        assert router.statistics().peers[0].send_queue == 0


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:5555", "inproc://it", "mixed"])
async def test_two_living_peers_of_one_name(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """With ``router_handover`` the second takes the name, and the first stays connected, under another one."""
    async with virtual_network.open_context() as ctx:
        router = ctx.socket(triomq.ROUTER, router_handover=True, router_mandatory=True)
        monitor = router.monitor()
        places = ["tcp://127.0.0.1:5555", "inproc://it"] if endpoint == "mixed" else [endpoint, endpoint]
        for place in dict.fromkeys(places):
            await router.bind(place)
        first, second = ctx.socket(triomq.DEALER, routing_id=b"X"), ctx.socket(triomq.DEALER, routing_id=b"X")
        first.connect(places[0])
        await first.send(b"before")
        await router.wait_peers()
        await trio.testing.wait_all_tasks_blocked()
        second.connect(places[1])
        await router.wait_peers(2)
        await trio.testing.wait_all_tasks_blocked()
        await first.send(b"after")
        await second.send(b"from the second")
        await trio.sleep(100)
        received = {body: name for name, body in [await router.receive() for _ in range(3)]}
        assert received[b"before"] == received[b"from the second"] == b"X"
        other = received[b"after"]
        assert other[:1] == b"\0"
        await router.send([b"X", b"for X"])
        await router.send([other, b"for the first"])
        assert bytes(await second.receive()) == b"for X"
        assert bytes(await first.receive()) == b"for the first"
        kinds = []
        with pytest.raises(trio.WouldBlock):
            while True:
                kinds.append(type(monitor.receive_nowait()))
        assert kinds.count(triomq.HandshakeSucceeded) == 2
        assert triomq.Disconnected not in kinds


async def test_the_first_takes_its_name_again_when_it_comes_back(virtual_network: VirtualNetwork) -> None:
    """For then the first is the newcomer. What was queued for it under the name stays in its own queue."""
    async with virtual_network.open_context() as ctx:
        router = ctx.socket(triomq.ROUTER, router_handover=True)
        endpoint = await router.bind("tcp://127.0.0.1:5555")
        first, second = ctx.socket(triomq.DEALER, routing_id=b"X"), ctx.socket(triomq.DEALER, routing_id=b"X")
        first.connect(endpoint)
        await router.wait_peers()
        second.connect(endpoint)
        await router.wait_peers(2)
        first.disconnect(endpoint)
        while len(router.peers) > 1:
            await router._peers.watchers.wait()
        first.connect(endpoint)
        await router.wait_peers(2)
        await router.send([b"X", b"for the first"])
        assert bytes(await first.receive()) == b"for the first"
        assert sorted(peer.routing_id[:1] for peer in router.peers) == [b"\0", b"X"]
