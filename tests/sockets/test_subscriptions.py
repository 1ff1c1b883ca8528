"""Subscriptions: taken in without the application's help, bounded for each peer, and no messages."""

from __future__ import annotations

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

ENDPOINTS = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://it"])


@ENDPOINTS
async def test_an_xpub_nobody_receives_from_takes_every_subscription(
    endpoint: str, virtual_network: VirtualNetwork
) -> None:
    """They count against no HWM, nor as messages, and are received in order when somebody cares to."""
    async with virtual_network.open_context() as ctx:
        xpub = ctx.socket(triomq.XPUB, receive_hwm=2)
        sub = ctx.socket(triomq.SUB, topics=[b"%03d" % number for number in range(100)])
        sub.connect(await xpub.bind(endpoint))
        with trio.fail_after(5):
            await xpub.wait_subscribers(b"099")
        (peer,) = xpub.statistics().peers
        assert (peer.receive_queue, peer.receive_hwm) == (0, 2 if endpoint.startswith("tcp") else 1002)
        assert [bytes(await xpub.receive()) for _ in range(100)] == [b"\1%03d" % number for number in range(100)]
        assert xpub.statistics().peers[0].receive_hwm == peer.receive_hwm


async def test_messages_of_subscribers_still_count(virtual_network: VirtualNetwork) -> None:
    """What an XSUB sends upstream besides subscriptions waits for room like any message."""
    async with virtual_network.open_context() as ctx:
        xpub = ctx.socket(triomq.XPUB, receive_hwm=2)
        xsub = ctx.socket(triomq.XSUB)
        xsub.connect(await xpub.bind("tcp://127.0.0.1:0"))
        await xsub.wait_peers()
        for number in range(9):
            await xsub.send(b"\1%d" % number if number % 3 == 0 else b"message %d" % number)
        await trio.sleep(1)
        assert xpub.statistics().peers[0].receive_queue < 9
        received = [bytes(await xpub.receive()) for _ in range(9)]
        assert received == [b"\1%d" % n if n % 3 == 0 else b"message %d" % n for n in range(9)]


@ENDPOINTS
async def test_subscribing_is_not_sending(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """The counters and queues of both sides are about messages."""
    async with virtual_network.open_context() as ctx:
        pub, sub = ctx.socket(triomq.PUB), ctx.socket(triomq.SUB, topics=["a", "b"])
        sub.connect(await pub.bind(endpoint))
        await pub.wait_subscribers("b")
        await pub.send(b"a")
        await sub.receive()
        assert (sub.statistics().messages_sent, pub.statistics().messages_received) == (0, 0)
        assert (pub.statistics().messages_sent, sub.statistics().messages_received) == (1, 1)


async def test_verboser_tells_of_every_peer_that_leaves() -> None:
    """As it tells of every cancellation."""
    async with triomq.open_context() as ctx:
        xpub = ctx.socket(triomq.XPUB, xpub_verboser=True)
        endpoint = await xpub.bind("inproc://verboser")
        subscribers = [ctx.socket(triomq.SUB, topics=["t"]) for _ in range(2)]
        for sub in subscribers:
            sub.connect(endpoint)
        for sub in subscribers:
            await sub.aclose()
        assert [bytes(await xpub.receive()) for _ in range(4)] == [b"\1t", b"\1t", b"\0t", b"\0t"]
