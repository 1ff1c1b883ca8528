"""Subscriptions: taken in without the application's help, bounded for each peer, and no messages."""

from __future__ import annotations

import math
import random

import pytest
import trio
import trio.testing

import triomq
from triomq._pipes import FirstSubscribe, Outbox
from triomq._pipes._outbox import MOST_CONTROLS
from triomq.testing import VirtualNetwork
from triomq.zmtp import Cancel, Item, Subscribe

from .played import TOO_MUCH, PlayedPeer

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


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({"max_subscriptions": 10}, "more than 10 topics, the publisher's max_subscriptions"),
        ({"max_subscription_bytes": 11}, "more than 11 bytes, the publisher's max_subscription_bytes"),
    ],
)
async def test_a_peer_with_too_many_topics_is_dropped_and_forgotten(
    limits: dict[str, int], text: str, virtual_network: VirtualNetwork
) -> None:
    """The reason is in the monitor's event; another subscriber is not disturbed."""
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(triomq.PUB, **limits)
        monitor = pub.monitor()
        endpoint = await pub.bind("tcp://127.0.0.1:0")
        modest = ctx.socket(triomq.SUB, topics=["0"])
        modest.connect(endpoint)
        await pub.wait_subscribers("0")
        greedy = ctx.socket(triomq.SUB, topics=[str(number) for number in range(11)])
        greedy.connect(endpoint)
        async for event in monitor:
            if isinstance(event, triomq.Disconnected):
                break
        assert isinstance(event.error, triomq.RemoteProtocolError)
        assert text in str(event.error)
        greedy.disconnect(endpoint)
        await trio.sleep(1)
        await pub.send(b"0!")
        assert await modest.receive() == (b"0!",)
        assert [peer.socket_type for peer in pub.peers] == ["SUB"]


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


@ENDPOINTS
async def test_without_a_limit_all_are_served(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """``math.inf`` is none; and a peer of the same program has none either."""
    async with virtual_network.open_context() as ctx:
        inside = endpoint.startswith("inproc")
        pub = ctx.socket(triomq.PUB, max_subscriptions=10 if inside else math.inf)
        sub = ctx.socket(triomq.SUB, topics=[b"%06d" % number for number in range(11)])
        sub.connect(await pub.bind(endpoint))
        with trio.fail_after(60):
            await pub.wait_subscribers(b"000010")


SEVERAL = [
    ([b"\1A", b"\1B"], [(b"\1A",), (b"\1B",)]),
    ([b"\1C", b"xyz"], [(b"\1C",), (b"xyz",)]),
    ([b"xyz", b"\1D"], [(b"xyz", b"\1D")]),
    ([b"\1E", b"xy", b"\1F"], [(b"\1E",), (b"xy", b"\1F")]),
    ([b"\0A", b"\0B"], [(b"\0A",), (b"\0B",)]),
    ([b"\1", b""], [(b"\1",), (b"",)]),
    ([b"", b"\1Q"], [(b"", b"\1Q")]),
]
"""What an XSUB sends, and what libzmq's XPUB then tells."""


@pytest.mark.parametrize("by_messages", [True, False], ids=["3.0", "3.1"])
@ENDPOINTS
async def test_subscriptions_of_several_frames(
    endpoint: str, by_messages: bool, virtual_network: VirtualNetwork
) -> None:
    """No frame is lost without a word, whoever sends it in whichever way."""
    async with virtual_network.open_context() as ctx:
        xpub, pub, xsub = ctx.socket(triomq.XPUB), ctx.socket(triomq.PUB), ctx.socket(triomq.XSUB)
        xsub.connect(await xpub.bind(endpoint))
        xsub.connect(await pub.bind(endpoint + "2" if "inproc" in endpoint else endpoint))
        await xsub.wait_peers(2)
        for message, told in SEVERAL:
            if by_messages:  # as libzmq does, and as a peer of ZMTP 3.0 must
                for pipe in xsub._peers.pipes:
                    assert pipe.send_nowait(triomq.Message(message))
            else:
                await xsub.send(message)
            assert [await xpub.receive() for _ in told] == told
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.WouldBlock):
            xpub.receive_nowait()
        assert pub.messages_dropped == 5  # a PUB has no user for what is no subscription
        await pub.wait_subscribers(b"E")


@ENDPOINTS
async def test_an_xsub_refuses_a_topic_that_no_peer_would_take(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """At the call, and then nothing of the message has taken effect."""
    async with virtual_network.open_context() as ctx:
        xpub, xsub = ctx.socket(triomq.XPUB), ctx.socket(triomq.XSUB)
        xsub.connect(await xpub.bind(endpoint))
        await xsub.wait_peers()
        for head in (b"\1", b"\0"):
            with pytest.raises(ValueError, match="65536 bytes at the most"):
                await xsub.send([b"\1good", head + bytes(65_537)])
        await xsub.send([b"\1" + bytes(65_536), b"\1last"])
        assert len((await xpub.receive())[0]) == 65_537
        assert await xpub.receive() == (b"\1last",)


async def queued_at_a_silent_publisher(net: VirtualNetwork, xsub: triomq.XSUB, peer: PlayedPeer) -> None:
    xsub.connect(peer.endpoint)
    await peer.greet()
    await xsub.wait_peers()
    await xsub.send(b"\1known")
    await trio.testing.wait_all_tasks_blocked()
    for number in range(TOO_MUCH // 60_000):  # until the connection takes nothing more
        await xsub.send(b"\1%d." % number + bytes(60_000))
    await trio.testing.wait_all_tasks_blocked()


async def test_subscriptions_to_a_publisher_that_reads_nothing_are_bounded(virtual_network: VirtualNetwork) -> None:
    """By what is subscribed to; and the statistics show them."""
    async with virtual_network.open_context() as ctx, PlayedPeer(virtual_network, "XPUB") as peer:
        xsub = ctx.socket(triomq.XSUB, linger=0)
        await queued_at_a_silent_publisher(virtual_network, xsub, peer)
        (row,) = xsub.statistics().peers
        before = row.control_queue
        assert before > 0
        assert row.send_queue == 0
        for number in range(10_000):
            await xsub.send(b"\1%d" % number)
            await xsub.send(b"\1%d" % number)
            await xsub.send(b"\0%d" % number)
            await xsub.send(b"\0%d" % number)
        await xsub.send([b"\0known", b"\1kept"])
        (row,) = xsub.statistics().peers
        assert row.control_queue <= before + MOST_CONTROLS + 10


def test_what_is_forgotten_of_a_queue_of_subscriptions_changes_nothing_for_the_peer() -> None:
    """Whatever the peer has been told already, and whatever stands between."""
    for seed in range(10):
        rng = random.Random(seed)
        outbox, wanted, known = Outbox(math.inf), [0] * 600, set[bytes]()
        taken: list[Item] = []
        for step in range(20_000):
            number = rng.randrange(600) if step % 3 else rng.randrange(3)
            topic = b"%d" % number
            if rng.random() < 0.6:
                outbox.add_control(Subscribe(topic) if wanted[number] else FirstSubscribe(topic))
                wanted[number] += 1
            elif wanted[number]:
                wanted[number] -= 1
                if not wanted[number]:
                    outbox.add_control(Cancel(topic))
            if rng.random() < 0.05:
                outbox.own().append((b"message",))
            if rng.random() < 0.0003:
                batch, _ = outbox.take(500)
                outbox.count_left(batch)
                taken += batch
            assert outbox.controls <= 1.5 * (1200 + MOST_CONTROLS)
        taken += outbox.take(10**6)[0]
        for item in taken:
            if isinstance(item, Subscribe):
                known.add(item.topic)
            elif isinstance(item, Cancel):
                assert item.topic in known
                known.discard(item.topic)
        assert known == {b"%d" % number for number in range(600) if wanted[number]}
