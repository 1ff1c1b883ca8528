"""An XPUB's notices: of all peers in the order in which they happened, and bounded though nobody receives them."""

from __future__ import annotations

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

ENDPOINTS = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://it"])


async def received(xpub: triomq.XPUB) -> list[bytes]:
    """What waits to be received, all of it."""
    found: list[bytes] = []
    await trio.testing.wait_all_tasks_blocked()
    while True:
        try:
            found.append(bytes(xpub.receive_nowait()))
        except trio.WouldBlock:
            return found


@ENDPOINTS
async def test_they_come_in_the_order_in_which_they_happened(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """However many there are of one peer: who passes them on is not left with a topic that nobody wants."""
    async with virtual_network.open_context() as ctx:
        xpub = ctx.socket(triomq.XPUB)
        address = await xpub.bind(endpoint)
        one, two = ctx.socket(triomq.SUB, topics=list("vwxt")), ctx.socket(triomq.SUB, topics=list("ut"))
        for sub in (one, two):
            sub.connect(address)
            await sub.wait_peers()
            await trio.testing.wait_all_tasks_blocked()
        one.unsubscribe("t")
        await trio.testing.wait_all_tasks_blocked()
        two.unsubscribe("u")
        two.unsubscribe("t")
        told = await received(xpub)
        assert sorted(told[:4]) == [b"\1t", b"\1v", b"\1w", b"\1x"]
        assert told[4:] == [b"\1u", b"\0u", b"\0t"]


@ENDPOINTS
async def test_a_peer_that_leaves_is_noticed_in_its_turn(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """Behind what others did before, and before what they do after."""
    async with virtual_network.open_context() as ctx:
        xpub = ctx.socket(triomq.XPUB)
        address = await xpub.bind(endpoint)
        one, two = ctx.socket(triomq.SUB, topics=["a", "b"]), ctx.socket(triomq.SUB, topics=["c"])
        for sub in (one, two):
            sub.connect(address)
            await sub.wait_peers()
            await trio.testing.wait_all_tasks_blocked()
        await one.aclose()
        await trio.testing.wait_all_tasks_blocked()
        two.subscribe("a")
        assert await received(xpub) == [b"\1a", b"\1b", b"\1c", b"\0a", b"\0b", b"\1a"]


@ENDPOINTS
async def test_messages_of_a_peer_keep_their_place_among_its_notices(
    endpoint: str, virtual_network: VirtualNetwork
) -> None:
    """A message is received between what its sender subscribed to before and after."""
    async with virtual_network.open_context() as ctx:
        xpub, xsub = ctx.socket(triomq.XPUB), ctx.socket(triomq.XSUB)
        xsub.connect(await xpub.bind(endpoint))
        await xsub.wait_peers()
        said = [b"\1a", b"hello", b"\1b", b"there", b"\0a", b"bye"]
        for message in said:
            await xsub.send(message)
        assert await received(xpub) == said


@ENDPOINTS
@pytest.mark.parametrize("way", ["receive", "merge", "proxy"])
async def test_who_waits_is_woken_by_a_peer_that_leaves(
    way: str, endpoint: str, virtual_network: VirtualNetwork
) -> None:
    """Be it in receive, in a merged channel, or as a proxy."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        xpub, pull, push = ctx.socket(triomq.XPUB), ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        address = await xpub.bind(endpoint)
        push.connect(await pull.bind("inproc://onward"))
        sub = ctx.socket(triomq.SUB, topics=["t"])
        sub.connect(address)
        assert bytes(await xpub.receive()) == b"\1t"
        heard: list[bytes] = []

        async def wait() -> None:
            if way == "receive":
                heard.append(bytes(await xpub.receive()))
            elif way == "merge":
                heard.append(bytes((await triomq.merge(xpub, pull).receive())[1]))
            else:
                heard.append(bytes(await pull.receive()))

        if way == "proxy":
            await nursery.start(triomq.proxy, xpub, push)
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        await sub.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert heard == [b"\0t"]
        nursery.cancel_scope.cancel()
