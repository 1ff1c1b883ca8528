"""What is counted, over real connections and virtual ones."""

from __future__ import annotations

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork

from ..virtual import dial


async def test_bytes_each_way_with_all_that_zmtp_adds(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH), ctx.socket(triomq.PULL)
        push.connect(await pull.bind("tcp://127.0.0.1:0"))
        await push.wait_peers()
        await push.send(b"12345")
        await pull.receive()
        (here,), (there,) = push.statistics().peers, pull.statistics().peers
        assert (here.bytes_sent, here.bytes_received) == (7, 0)
        assert (there.bytes_sent, there.bytes_received) == (0, 7)
        await push.send(bytes(3_000_000))  # more than the connection takes in one go
        await pull.receive()
        await trio.sleep(1)
        assert push.statistics().bytes_sent == pull.statistics().bytes_received == 7 + 9 + 3_000_000


async def test_inproc_has_no_bytes() -> None:
    async with triomq.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH), ctx.socket(triomq.PULL)
        push.connect(await pull.bind("inproc://it"))
        await push.send(b"12345")
        (row,) = push.statistics().peers
        assert (row.bytes_sent, row.last_traffic, row.messages_sent) == (0, None, 1)


async def test_the_time_of_the_last_traffic_and_the_round_trip(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    net.link("a", "b", latency=0.25, jitter=0)
    async with net.open_context("a") as here, net.open_context("b") as there:
        pull = there.socket(triomq.PULL)
        push = here.socket(triomq.PUSH, heartbeat_interval=10)
        await pull.bind("tcp://*:5555")
        push.connect("tcp://b:5555")
        await push.wait_peers()
        began = trio.current_time()
        (row,) = push.statistics().peers
        assert row.round_trip is None
        await trio.sleep(5)
        await push.send(b"x")
        await pull.receive()
        (row,), (other,) = push.statistics().peers, pull.statistics().peers
        assert row.last_traffic == pytest.approx(began + 5)
        assert other.last_traffic == pytest.approx(trio.current_time())
        assert (row.since, other.socket_type) == (pytest.approx(began), "PUSH")
        await trio.sleep(6)
        (row,) = push.statistics().peers
        assert row.round_trip == pytest.approx(0.5, abs=0.01)


async def test_reconnections_and_marks(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        push = ctx.socket(triomq.PUSH, hwm=2, reconnect_interval_max=0.1)
        push.connect("tcp://localhost:5555")
        for _ in range(2):
            await push.send(b"x")
        with pytest.raises(trio.WouldBlock):
            push.send_nowait(b"x")
        assert push.statistics().hwm_reached == 1
        for times in range(3):
            async with ctx.socket(triomq.PULL) as pull:
                await pull.bind("tcp://*:5555")
                await push.wait_peers()
                statistics = push.statistics()
                assert (statistics.reconnects, statistics.peers[0].number) == (times, 1)
        await push.aclose()
        assert ctx.statistics().reconnects == 2
        assert push.statistics().reconnects == 2, "of pipes that are gone, too"


async def test_a_context_counts_closed_sockets_and_unfinished_handshakes(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        pull = ctx.socket(triomq.PULL, name="sink")
        endpoint = await pull.bind("tcp://127.0.0.1:0")
        async with ctx.socket(triomq.PUSH) as push:
            push.connect(endpoint)
            await push.send_many([b"x"] * 5)
            await pull.wait_peers()
            before = ctx.statistics()
            assert (before.connections, before.unfinished_handshakes) == (2, 0)
        stream = await dial(virtual_network, endpoint)
        await trio.sleep(1)
        after = ctx.statistics()
        assert (after.messages_sent, after.messages_received) == (5, 5)
        assert (after.connections, after.unfinished_handshakes) == (0, 1)
        assert [one.name for one in after.sockets] == ["sink"]
        assert after.since(before).messages_sent >= 0
        await trio.aclose_forcefully(stream)
    with pytest.raises(triomq.WrongThreadError):
        await trio.to_thread.run_sync(ctx.statistics)


async def test_peers_in_a_set(virtual_network: VirtualNetwork) -> None:
    """For whoever keeps who is there."""
    async with virtual_network.open_context() as ctx:
        router, online = ctx.socket(triomq.ROUTER), set[triomq.Peer]()
        monitor = router.monitor()
        endpoint = await router.bind("tcp://127.0.0.1:0")
        async with ctx.socket(triomq.DEALER, routing_id=b"ann") as ann:
            ann.connect(endpoint)
            await router.wait_peers()
            assert router.statistics().peers[0].peer == router.peers[0]
        await trio.sleep(1)
        async with monitor:
            for _ in range(4):
                match await monitor.receive():
                    case triomq.HandshakeSucceeded(peer=triomq.Peer(routing_id=b"ann") as peer):
                        online.add(peer)
                    case triomq.Disconnected(peer=triomq.Peer(routing_id=b"ann") as peer):
                        online.remove(peer)
        assert online == set()
