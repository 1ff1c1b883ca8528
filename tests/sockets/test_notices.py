"""An XPUB's notices: of all peers in the order in which they happened, and bounded though nobody receives them."""

from __future__ import annotations

import random

import pytest
import trio
import trio.testing

import triomq
from triomq._patterns import XPublisher
from triomq._patterns._arrivals import Arrivals
from triomq.testing import VirtualNetwork

ENDPOINTS = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://it"])


def bounded(xpub: triomq.XPUB, most_notices: int) -> triomq.XPUB:
    """The same socket, with few notices before those that undo each other are dropped."""
    assert isinstance(xpub._pattern, XPublisher)
    xpub._pattern._arrivals = Arrivals(most_notices, 1_000_000)
    return xpub


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


@ENDPOINTS
async def test_unread_notices_that_undo_each_other_are_forgotten_in_the_end(
    endpoint: str, virtual_network: VirtualNetwork
) -> None:
    """What is left says truly what is wanted now, to whoever knew what was wanted when it was last read."""
    async with virtual_network.open_context() as ctx:
        xpub, xsub = bounded(ctx.socket(triomq.XPUB), 10), ctx.socket(triomq.XSUB)
        xsub.connect(await xpub.bind(endpoint))
        await xsub.wait_peers()
        await xsub.send(b"\1known")
        assert bytes(await xpub.receive()) == b"\1known"
        for message in (b"\0known", b"\1new", b"message", *[b"\1again", b"\0again"] * 500, b"\1again"):
            await xsub.send(message)
        told = await received(xpub)
        assert told[:3] == [b"\0known", b"\1new", b"message"]
        assert len(told) <= 11  # ten notices and a message
        again = told[3:]
        assert again == ([b"\1again", b"\0again"] * 5)[: len(again)]
        assert again[-1] == b"\1again"


@pytest.mark.parametrize("verbosity", ["xpub_verbose", "xpub_verboser"])
async def test_repeated_subscriptions_are_forgotten_too(verbosity: str) -> None:
    """A verbose XPUB's unread notices are bounded as well; the first of a topic is kept."""
    async with triomq.open_context() as ctx:
        xpub, xsub = bounded(ctx.socket(triomq.XPUB, **{verbosity: True}), 10), ctx.socket(triomq.XSUB)
        xsub.connect(await xpub.bind("inproc://it"))
        for _ in range(1000):
            await xsub.send(b"\1t")
        told = await received(xpub)
        assert 1 <= len(told) <= 10
        assert set(told) == {b"\1t"}


async def test_octets_of_unread_notices_are_bounded() -> None:
    """Few notices of long topics count as many."""
    async with triomq.open_context() as ctx:
        xpub, xsub = ctx.socket(triomq.XPUB, max_subscription_bytes=100_000), ctx.socket(triomq.XSUB)
        xsub.connect(await xpub.bind("inproc://it"))
        for number in range(100):
            topic = b"%d" % number + bytes(10_000)
            await xsub.send(b"\1" + topic)
            await xsub.send(b"\0" + topic)
        assert sum(map(len, await received(xpub))) <= 101_000


async def test_nothing_is_kept_for_peers_that_have_left() -> None:
    """Whatever they subscribed to, if nobody has received it."""
    async with triomq.open_context() as ctx:
        xpub = bounded(ctx.socket(triomq.XPUB), 10)
        place = await xpub.bind("inproc://it")
        subs = [ctx.socket(triomq.SUB, topics=[b"%d.%d" % (who, n) for n in range(1000)]) for who in range(5)]
        for sub in subs:
            sub.connect(place)
        for sub in subs:
            await sub.aclose()
        assert len(await received(xpub)) <= 11


@pytest.mark.parametrize("most", [0, 3, 10, 1000])
@pytest.mark.parametrize("reads", [0.0, 0.2, 0.6])
def test_notices_lead_from_what_the_user_knows_to_what_is_true(most: int, reads: float) -> None:
    """At any moment, in whatever order things happen, and they are never many more than that needs."""
    rng = random.Random(most)
    arrivals = Arrivals(most, 1_000_000)
    wanted: set[bytes] = set()
    told: set[bytes] = set()

    def read() -> bool:
        peeked = arrivals.peek()
        message = arrivals.take()
        assert peeked == message
        if message is None:
            return False
        topic = message[0][1:]
        if message[0][:1] == b"\1":
            assert topic not in told
            told.add(topic)
        else:
            told.remove(topic)
        return True

    for _ in range(3000):
        topic = b"%d" % rng.randrange(30)
        arrivals.add_notice(topic, -1 if topic in wanted else 1)
        wanted ^= {topic}
        if rng.random() < reads:
            read()
        assert arrivals._notices <= most + 30
    while read():
        pass
    assert told == wanted
    assert not arrivals._entries
    assert not arrivals._last_of
    assert arrivals._size == arrivals._notices == 0
