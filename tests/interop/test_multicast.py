"""libzmq in the same group, in both directions, over epgm on the loopback interface; with loss, and without."""

from __future__ import annotations

import pytest

import triomq
from triomq import PUB, SUB, XPUB, XSUB
from triomq._cli._probe_group import probe_group

from .groups import OURS, expected, greet, libzmq, next_of, on_a_line

pytestmark = [pytest.mark.interop]


@pytest.mark.parametrize(
    ("share", "count", "size"), [(0, 200, 10), (0, 20, 20_000), (0.2, 200, 700), (0.1, 15, 20_000)]
)
@pytest.mark.parametrize("kind", [PUB, XPUB])
async def test_libzmq_gets_all_that_we_publish(group: str, kind, share: float, count: int, size: int) -> None:
    endpoint = f"epgm://127.0.0.1;{group}"
    async with on_a_line(share) as (ctx, groups), libzmq("SUB", endpoint) as peer:
        publisher = ctx.socket(kind, send_hwm=0, **OURS)
        publisher.connect(endpoint)
        await greet(publisher, peer)
        for number in range(count):
            await publisher.send([b"%d" % number, bytes([number % 251]) * size])
        for number in range(count):
            assert await next_of(peer) == expected(number, size)
        (row,) = publisher.statistics().peers
        assert row.messages_dropped == 0
        assert bool(row.details["repairs"]) == bool(groups.ports[0].lost) == bool(share)


@pytest.mark.parametrize(
    ("share", "count", "size"), [(0, 200, 10), (0, 20, 20_000), (0.2, 200, 700), (0.1, 15, 20_000)]
)
@pytest.mark.parametrize("kind", [SUB, XSUB])
async def test_we_get_all_that_libzmq_publishes(group: str, kind, share: float, count: int, size: int) -> None:
    endpoint = f"epgm://127.0.0.1;{group}"
    async with on_a_line(share) as (ctx, groups), libzmq("PUB", endpoint) as peer:
        subscriber = ctx.socket(kind, **OURS)
        if isinstance(subscriber, SUB):
            subscriber.subscribe(b"")
        else:
            await subscriber.send(b"\1")
        await subscriber.bind(endpoint)
        assert await subscriber.receive() == (b"hello",)
        await peer.say(f"{count} {size}")
        number = 0
        while number < count:
            message = await subscriber.receive()
            if message != (b"hello",):
                assert message == (b"%d" % number, bytes([number % 251]) * size)
                number += 1
        (row,) = subscriber.statistics().peers
        assert row.details["lost"] == 0
        assert bool(row.details["repairs"]) == bool(groups.ports[0].lost) == bool(share)


async def test_a_closing_publisher_sends_its_whole_backlog(group: str) -> None:
    """libzmq itself loses the last datagram of it."""
    endpoint = f"epgm://127.0.0.1;{group}"
    async with libzmq("SUB", endpoint) as peer:
        async with triomq.open_context() as ctx:
            publisher = ctx.socket(PUB, send_hwm=0, linger=30, rate=300_000)
            publisher.connect(endpoint)
            await greet(publisher, peer)
            for number in range(100):
                await publisher.send([b"%d" % number, bytes([number]) * 2000])
            assert publisher.statistics().peers[0].send_queue > 50
        for number in range(100):
            assert await next_of(peer) == expected(number, 2000)
        assert publisher.messages_dropped == 0


async def test_libzmq_goes_away_and_we_are_told(group: str) -> None:
    endpoint = f"epgm://127.0.0.1;{group}"
    async with triomq.open_context() as ctx:
        subscriber = ctx.socket(SUB, topics=[""])
        monitor = subscriber.monitor()
        subscriber.connect(endpoint)
        async with libzmq("PUB", endpoint):
            assert await subscriber.receive() == (b"hello",)
        assert isinstance(await monitor.receive(), triomq.Connected)
        succeeded = await monitor.receive()
        assert isinstance(succeeded, triomq.HandshakeSucceeded)
        assert succeeded.socket_type == "PUB"
        assert [peer.address for peer in subscriber.peers] == [succeeded.address]


async def test_the_probe_finds_libzmq(group: str) -> None:
    endpoint = f"epgm://127.0.0.1;{group}"
    async with libzmq("PUB", endpoint):
        found = await probe_group(endpoint, 60)
    assert found.address == "127.0.0.1"
    assert found.publisher.startswith("b7c6d1bc038a.")  # every libzmq has this name
    assert found.round_trip is not None
    assert found.keeps is not None
