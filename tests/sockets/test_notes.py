"""Queues that are full and messages that are dropped, as events: once, not once for each message."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from .played import PlayedPeer


def told(monitor: triomq.Monitor, *kinds: type) -> list[Any]:
    """The events of these kinds that nobody has received."""
    found = []
    while True:
        try:
            event = monitor.receive_nowait()
        except (trio.WouldBlock, trio.EndOfChannel):
            return found
        if isinstance(event, kinds):
            found.append(event)


MARKS = (triomq.HighWaterMarkReached, triomq.HighWaterMarkRelieved)


def names(events: list[Any]) -> list[str]:
    return [type(event).__name__.removeprefix("HighWaterMark") for event in events]


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://it"])
async def test_a_queue_that_is_full_and_has_room_again(endpoint: str, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        pull, push = ctx.socket(triomq.PULL, hwm=2), ctx.socket(triomq.PUSH, hwm=3)
        monitor = push.monitor()
        push.connect(await pull.bind(endpoint))
        await push.wait_peers()
        sent = 0
        while True:
            with trio.move_on_after(1) as scope:
                await push.send(bytes(300_000))
                sent += 1
            if scope.cancelled_caught:
                break
        (reached,) = told(monitor, *MARKS)
        assert (names([reached]), reached.peer) == (["Reached"], push.peers[0])
        assert reached.hwm == (5 if endpoint.startswith("inproc") else 3)
        for _ in range(sent):
            await pull.receive()
        await trio.sleep(1)
        (relieved,) = told(monitor, *MARKS)
        assert (names([relieved]), relieved.peer) == (["Relieved"], push.peers[0])
        assert push.statistics().hwm_reached >= 1


async def test_a_queue_for_nobody(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        push = ctx.socket(triomq.PUSH, hwm=1)
        monitor = push.monitor()
        push.connect("tcp://nobody:5555")
        await push.send(b"x")
        with trio.move_on_after(1):
            await push.send(b"x")
        (event,) = told(monitor, *MARKS)
        assert event == triomq.HighWaterMarkReached(endpoint="tcp://nobody:5555", address="tcp://nobody:5555", hwm=1)


async def test_a_queue_that_is_full_again_and_again_has_few_events(virtual_network: VirtualNetwork) -> None:
    """At most one each second; and the last one says what is so."""
    async with virtual_network.open_context() as ctx:
        pull, push = ctx.socket(triomq.PULL, hwm=1), ctx.socket(triomq.PUSH, hwm=1)
        monitor = push.monitor(10_000)
        push.connect(await pull.bind("inproc://it"))
        began = trio.current_time()

        async def receive() -> None:
            while True:
                await trio.sleep(0.003)
                await pull.receive()
                await pull.receive()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive)
            while trio.current_time() < began + 30:
                await push.send(b"x")
            nursery.cancel_scope.cancel()
        assert push.statistics().hwm_reached > 1000
        some = names(told(monitor, *MARKS))
        assert 2 <= len(some) <= 31
        assert all(one != other for one, other in pairwise(some)), "they alternate"
        while True:
            try:
                pull.receive_nowait()
            except trio.WouldBlock:
                break
        await trio.sleep(2)
        some += names(told(monitor, *MARKS))
        assert some[-1] == "Relieved"


async def test_drops_the_first_at_once_then_the_sum_of_each_minute(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(triomq.PUB, hwm=1)
        monitor = pub.monitor()
        endpoint = await pub.bind("inproc://it")
        slow, other = (ctx.socket(triomq.SUB, topics=[b""], hwm=1, routing_id=b"") for _ in range(2))
        for sub in (slow, other):
            sub.connect(endpoint)
        await pub.wait_subscribers(b"", 2)
        began = trio.current_time()
        times = []
        for _ in range(1300):  # ten a second
            await pub.send(b"x")
            await trio.sleep(0.1)
            other.receive_nowait()
            for event in told(monitor, triomq.MessageDropped):
                assert (event.reason, event.peer.number, event.size, event.error) == ("full", 1, None, None)
                times.append((round(trio.current_time() - began), event.count))
        assert [time for time, _ in times] == [0, 60, 120]
        assert [count for _, count in times] == [1, 599, 601]
        await slow.aclose()
        (rest,) = told(monitor, triomq.MessageDropped)
        assert sum(count for _, count in times) + rest.count == pub.messages_dropped
        await trio.sleep(600)
        assert told(monitor, triomq.MessageDropped) == []


@pytest.mark.parametrize("options", [{"conflate": True}])
async def test_what_the_program_has_asked_for_has_no_event(
    options: dict[str, Any], virtual_network: VirtualNetwork
) -> None:
    async with virtual_network.open_context() as ctx:
        push = ctx.socket(triomq.PUSH, linger=0, **options)
        monitor = push.monitor()
        push.connect("tcp://nobody:5555")
        await push.send_many([b"x"] * 10)
        await trio.sleep(100)
        assert push.messages_dropped == 9
        assert told(monitor, triomq.MessageDropped) == []


async def test_why_messages_are_dropped_at_the_end(virtual_network: VirtualNetwork) -> None:
    net = virtual_network

    async def ended(how: str) -> triomq.MessageDropped:
        async with net.open_context() as ctx, PlayedPeer(net, "PULL") as peer:
            push = ctx.socket(triomq.PUSH, linger=1, immediate=how == "peer left")
            monitor = push.monitor()
            push.connect(peer.endpoint)
            await peer.greet()
            await push.wait_peers()
            await push.send(bytes(3_000_000))
            await push.send(b"x")
            (known,) = push.peers
            if how == "disconnected":
                push.disconnect(peer.endpoint)
                await trio.sleep(2)
            elif how == "peer left":
                await peer.leave()
                await trio.sleep(0.01)
            elif how == "linger":
                await push.aclose()
            else:
                with trio.move_on_after(0.1):
                    await push.aclose()
            (event,) = told(monitor, triomq.MessageDropped)
            assert event.peer == known
            assert push.messages_dropped == event.count
            return event

    for how in ("disconnected", "peer left", "linger", "cancelled"):
        event = await ended(how)
        assert (event.reason, event.count) == (how, 2)


async def test_a_closed_socket_looks_at_nothing_any_more(virtual_network: VirtualNetwork) -> None:
    """Though a minute of drops has begun, and a second of marks."""
    async with virtual_network.open_context() as ctx:
        began = trio.current_time()
        pub = ctx.socket(triomq.PUB, hwm=1)
        sub = ctx.socket(triomq.SUB, topics=[b""], hwm=1)
        sub.connect(await pub.bind("inproc://it"))
        await pub.wait_subscribers(b"", 1)
        await pub.send_many([b"x"] * 9)
        await trio.sleep(0.01)
        await pub.send_many([b"x"] * 9)
        await pub.aclose()
        await sub.aclose()
    assert trio.current_time() - began < 0.1
