"""A publisher's messages that several subscribers want are gathered for them together: nobody is to notice."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterable
from itertools import chain
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq import zmtp
from triomq.testing import VirtualNetwork

from ..virtual import dial

settle = trio.testing.wait_all_tasks_blocked
publishers = pytest.mark.parametrize("kind", [triomq.PUB, triomq.XPUB])


async def _subscribers(ctx: triomq.Context, pub: Any, topics: Iterable[Iterable[bytes]], **options: int) -> list[Any]:
    subs = []
    for wanted in topics:
        sub = ctx.socket(triomq.SUB, topics=wanted, **{"receive_hwm": 0, **options})
        sub.connect(pub.endpoints[0])
        subs.append(sub)
        await pub.wait_peers(len(subs))
    await settle()
    return subs


def _all_of(sub: Any) -> list[triomq.Message]:
    got = []
    while True:
        try:
            got.append(sub.receive_nowait())
        except trio.WouldBlock:
            return got


@publishers
@pytest.mark.parametrize("rest", [0, 1, 7])
async def test_order_over_groups_that_overlap(kind: Any, rest: int, virtual_network: VirtualNetwork) -> None:
    """Topics whose subscribers are the same, some of the same, or others, in any succession."""
    topics = [[b"a"], [b"b"], [b"a", b"b"], [b""], [b"a", b"ab"], [b"ab"], [b"b", b"c"], [b""]]
    chance = random.Random(rest)
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(kind, send_hwm=0)
        await pub.bind("tcp://127.0.0.1:0")
        subs = await _subscribers(ctx, pub, topics)
        sent = []
        for number in range(1000):
            runs = chance.choice([1, 1, 5, 40])
            topic = chance.choice([b"a", b"b", b"ab", b"c", b"d"])
            sent += [(topic, b"%d.%d" % (number, run)) for run in range(runs)]
        for number, message in enumerate(sent):
            pub.send_nowait(message)
            if rest and number % rest == 0 and chance.random() < 0.1:
                await trio.lowlevel.checkpoint()
                if chance.random() < 0.3:
                    await settle()
        await settle()
        for sub, wanted in zip(subs, topics, strict=True):
            assert _all_of(sub) == [message for message in sent if message[0].startswith(tuple(wanted))]
        assert pub.statistics().messages_dropped == 0


@publishers
@pytest.mark.parametrize("hwm", [1, 5, 64, 100, 1000])
async def test_only_the_one_that_is_stuck_misses_messages(kind: Any, hwm: int, virtual_network: VirtualNetwork) -> None:
    """Beside ten that read: as many as its HWM wait for it, exactly the others are dropped, and counted for it."""
    body = bytes(1000)
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(kind, send_hwm=hwm, linger=0, send_buffer=10_000)
        await pub.bind("tcp://127.0.0.1:0")
        stuck, *healthy = await _subscribers(ctx, pub, [[b""]] * 11, receive_buffer=10_000)
        peer = await dial(virtual_network, pub.endpoints[0], receive_buffer=10_000)  # who will read nothing
        connection = zmtp.Connection("SUB", as_server=False)
        await peer.send_all(connection.data_to_send())
        while not connection.established:
            connection.receive_data(await peer.receive_some())
            if data := connection.data_to_send():
                await peer.send_all(data)
        octets: list[bytes] = []
        connection.encode([zmtp.Subscribe(b"")], octets)
        await peer.send_all(b"".join(octets))
        await pub.wait_subscribers(b"", 12)
        count = 3 * hwm + 100
        for number in range(count):
            pub.send_nowait((b"%d" % number, body))
            if number % min(hwm, 50) == 0:
                await settle()
        await settle()
        *others, last = pub.statistics().peers
        assert last.send_queue == last.send_hwm == hwm
        assert last.messages_dropped == count - last.messages_sent - hwm > 0
        assert pub.statistics().messages_dropped == last.messages_dropped
        for sub, statistics in zip([stuck, *healthy], others, strict=True):
            assert [int(message[0]) for message in _all_of(sub)] == list(range(count))
            assert (statistics.messages_sent, statistics.send_queue) == (count, 0)
        await peer.aclose()


@pytest.mark.parametrize("hwm", [1, 70, 1000])
async def test_a_burst_beyond_the_hwm_is_no_slow_subscriber(hwm: int, virtual_network: VirtualNetwork) -> None:
    """A peer is full when its connection is, not when messages are only gathered for it."""
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(triomq.PUB, send_hwm=hwm)
        await pub.bind("tcp://127.0.0.1:0")
        subs = await _subscribers(ctx, pub, [[b""], [b""], [b"1"]])
        for number in range(3000):
            pub.send_nowait(b"%d" % number)
            assert all(peer.send_queue <= peer.send_hwm for peer in pub.statistics().peers)
        await settle()
        everything = [(b"%d" % number,) for number in range(3000)]
        ones = [message for message in everything if message[0][:1] == b"1"]
        assert [_all_of(sub) for sub in subs] == [everything, everything, ones]
        assert pub.statistics().messages_dropped == 0


async def test_statistics_in_the_middle_of_a_slice(virtual_network: VirtualNetwork) -> None:
    """What is gathered is queued, for each."""
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(triomq.PUB)
        await pub.bind("tcp://127.0.0.1:0")
        await _subscribers(ctx, pub, [[b"a"], [b"b"], [b""]])
        for number in range(1, 40):
            pub.send_nowait(b"a")
            pub.send_nowait(b"b")
            assert [peer.send_queue for peer in pub.statistics().peers] == [number, number, 2 * number]
            assert pub.statistics().messages_sent == 0
        await settle()
        statistics = pub.statistics()
        assert [(peer.messages_sent, peer.send_queue) for peer in statistics.peers] == [(39, 0), (39, 0), (78, 0)]
        assert statistics.messages_sent == 4 * 39


@publishers
async def test_subscribing_and_leaving_between_two_messages(kind: Any, virtual_network: VirtualNetwork) -> None:
    """What was sent before goes to those who wanted it then, and what is sent after to those who do now.

    (And a SUB does not take what it has cancelled meanwhile.)
    """
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(kind)
        await pub.bind("tcp://127.0.0.1:0")
        stays, leaves, cancels, comes = await _subscribers(ctx, pub, [[b"a"], [b"a"], [b"a", b"x"], [b"y"]])
        numbers = iter(range(1000))
        sent: list[list[int]] = []
        for change in (
            lambda: cancels.unsubscribe(b"a"),
            lambda: comes.subscribe(b"a"),
            lambda: cancels.subscribe(b""),
            lambda: None,
        ):
            sent.append([next(numbers) for _ in range(10)])
            for number in sent[-1]:
                pub.send_nowait([b"a", b"%d" % number])
            change()
            await settle()
        await leaves.aclose()
        sent.append([next(numbers) for _ in range(10)])
        for number in sent[-1]:
            pub.send_nowait([b"a", b"%d" % number])
        await settle()
        got = [[int(message[1]) for message in _all_of(sub)] for sub in (stays, cancels, comes)]
        assert got == [list(chain(*sent)), list(chain(*sent[3:])), list(chain(*sent[2:]))]
        assert pub.statistics().messages_dropped == 0


async def test_closing_right_after_sending_loses_nothing(virtual_network: VirtualNetwork) -> None:
    """With a linger; without one what is gathered still is dropped, and that is all."""
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(triomq.PUB)
        await pub.bind("tcp://127.0.0.1:0")
        subs = await _subscribers(ctx, pub, [[b"a"]] * 5 + [[b""]] * 5)
        for number in range(200):
            await pub.send([b"ab"[number % 2 :][:1], b"%d" % number])
        await pub.aclose()
        await settle()
        assert [len(_all_of(sub)) for sub in subs] == [100] * 5 + [200] * 5


@pytest.mark.parametrize("wait", [False, True])
async def test_a_subscriber_that_breaks_is_charged_with_what_was_gathered(
    wait: bool, virtual_network: VirtualNetwork
) -> None:
    """It is dropped with the peer, and the others get it."""
    async with virtual_network.open_context("near") as ctx, virtual_network.open_context("far") as far:
        pub = ctx.socket(triomq.PUB)
        await pub.bind("tcp://*:5555")
        near = [ctx.socket(triomq.SUB, topics=[b""]) for _ in range(3)]
        lost = far.socket(triomq.SUB, topics=[b""])
        for sub in (*near, lost):
            sub.connect("tcp://near:5555")
        await pub.wait_subscribers(b"", 4)
        for number in range(20):
            pub.send_nowait(b"%d" % number)
        virtual_network.cut("near", "far")
        if wait:
            await settle()
        for number in range(20, 40):
            pub.send_nowait(b"%d" % number)
        await settle()
        assert [[int(message[0]) for message in _all_of(sub)] for sub in near] == [list(range(40))] * 3
        statistics = pub.statistics()
        assert statistics.messages_sent + statistics.messages_dropped in (3 * 40 + 20, 4 * 40)


async def test_heartbeats_of_a_publisher_that_is_busy_or_idle(virtual_network: VirtualNetwork) -> None:
    """A PING comes after what is gathered, not before it, and not into it."""
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(triomq.PUB, heartbeat_interval=0.1, heartbeat_timeout=0.1)
        await pub.bind("tcp://127.0.0.1:0")
        subs = await _subscribers(ctx, pub, [[b""]] * 4, heartbeat_interval=0.07)
        for number in range(60):
            for part in range(30):
                pub.send_nowait([b"%d" % number, b"%d" % part])
            await trio.sleep(0.001 if number % 3 else 0.3)
        await settle()
        expected = [(b"%d" % number, b"%d" % part) for number in range(60) for part in range(30)]
        assert [_all_of(sub) for sub in subs] == [expected] * 4
        assert len(pub.peers) == 4
        assert pub.statistics().messages_sent == 4 * len(expected)


async def test_who_is_near_and_who_is_far_get_the_same(virtual_network: VirtualNetwork) -> None:
    """Subscribers over inproc, those over connections, and of small and large messages, side by side."""
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(triomq.PUB)
        await pub.bind("tcp://127.0.0.1:0")
        await pub.bind("inproc://here")
        subs = await _subscribers(ctx, pub, [[b""]] * 3)
        for _ in range(2):
            sub = ctx.socket(triomq.SUB, topics=[b""])
            sub.connect("inproc://here")
            subs.append(sub)
        await pub.wait_subscribers(b"", 5)
        messages = [triomq.Message([b"%d" % number, bytes(size)]) for number, size in enumerate([0, 300, 9000] * 20)]
        await pub.send_many(messages)
        await settle()
        assert [_all_of(sub) for sub in subs] == [messages] * 5


async def test_a_publisher_whose_subscribers_share_nothing_keeps_nothing(virtual_network: VirtualNetwork) -> None:
    """What went to inproc subscribers, each by itself, is not gathered besides."""
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(triomq.PUB)
        await pub.bind("inproc://here")
        subs = await _subscribers(ctx, pub, [[b""]] * 3)
        tracemalloc.start()
        try:
            for number in range(200):
                await pub.send(b"%d" % number + bytes(3000))
                assert [len(_all_of(sub)) for sub in subs] == [1] * 3
            assert tracemalloc.get_traced_memory()[0] < 100 * 3000
        finally:
            tracemalloc.stop()
