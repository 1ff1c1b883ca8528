"""wait_peers and wait_subscribers: until so many are there, or until nobody is."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

settled = trio.testing.wait_all_tasks_blocked


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://it"])
async def test_zero_waits_until_the_last_peer_has_left(virtual_network: VirtualNetwork, endpoint: str) -> None:
    async with virtual_network.open_context() as ctx:
        router, dealers = ctx.socket(triomq.ROUTER), [ctx.socket(triomq.DEALER) for _ in range(2)]
        await router.wait_peers(0)  # nobody has come yet
        endpoint = await router.bind(endpoint)
        for dealer in dealers:
            dealer.connect(endpoint)
        await router.wait_peers(2)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(router.wait_peers, 0)
            await settled()
            await dealers[0].aclose()
            await settled()
            assert len(nursery.child_tasks) == 1
            dealers[1].disconnect(endpoint)
        assert router.peers == ()


async def test_zero_waits_until_nobody_wants_the_topic(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        pub, sub = ctx.socket(triomq.PUB), ctx.socket(triomq.SUB, topics=["news"])
        sub.connect(await pub.bind("tcp://127.0.0.1:0"))
        await pub.wait_subscribers("news")
        await pub.wait_subscribers("weather", 0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pub.wait_subscribers, "news", 0)
            await settled()
            assert nursery.child_tasks
            sub.unsubscribe("news")


@pytest.mark.parametrize("n", [-1, 1.5, "2", None, True])
async def test_what_is_no_number_of_peers_is_refused(n: Any) -> None:
    async with triomq.open_context() as ctx:
        pub = ctx.socket(triomq.PUB)
        wrong, said = (ValueError, "0 or more, not -1") if n == -1 else (TypeError, "a whole number, an int, not ")
        with pytest.raises(wrong, match=rf"PUB\.wait_peers: n, the number of peers, is {said}"):
            await pub.wait_peers(n)
        with pytest.raises(wrong, match=rf"PUB\.wait_subscribers: n, the number of peers, is {said}"):
            await pub.wait_subscribers("news", n)


async def test_a_refusal_ends_the_wait_only_where_nobody_else_can_come(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        wrong, right = ctx.socket(triomq.PULL), ctx.socket(triomq.DEALER)
        refusing, serving = await wrong.bind("tcp://127.0.0.1:0"), await right.bind("tcp://127.0.0.1:0")
        dealer = ctx.socket(triomq.DEALER)
        dealer.connect(refusing)
        with pytest.raises(triomq.HandshakeRefusedError, match=refusing) as caught:
            await dealer.wait_peers()
        assert caught.value.endpoint == refusing
        await dealer.wait_peers(0)
        dealer.connect(serving)
        await dealer.wait_peers()
        with pytest.raises(triomq.HandshakeRefusedError):
            await dealer.wait_peers(2)
        await dealer.bind("tcp://127.0.0.1:0")
        with trio.move_on_after(3600) as patience:
            await dealer.wait_peers(2)  # who comes from elsewhere counts, too
        assert patience.cancelled_caught


@pytest.mark.parametrize("io_thread", [False, True])
async def test_a_peer_that_has_gone_refuses_nobody(virtual_network: VirtualNetwork, io_thread: bool) -> None:
    """When an attempt to connect has failed, who comes there next may be another one."""
    async with virtual_network.open_context(io_thread=io_thread) as ctx:
        wrong, right, push = ctx.socket(triomq.REP), ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        endpoint = await wrong.bind("tcp://127.0.0.1:0")
        monitor = push.monitor()
        push.connect(endpoint)
        with pytest.raises(triomq.HandshakeRefusedError):
            await push.wait_peers()
        await wrong.aclose()
        async for event in monitor:
            if isinstance(event, triomq.ConnectFailed):
                break
        async with trio.open_nursery() as nursery:
            nursery.start_soon(push.wait_peers)
            await trio.testing.wait_all_tasks_blocked()
            assert nursery.child_tasks
            await right.bind(endpoint)


async def test_a_peer_that_is_disconnected_from_refuses_nobody(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        wrong, dealer = ctx.socket(triomq.PULL), ctx.socket(triomq.DEALER)
        endpoint = await wrong.bind("tcp://127.0.0.1:0")
        dealer.connect(endpoint)
        with pytest.raises(triomq.HandshakeRefusedError):
            await dealer.wait_peers()
        dealer.disconnect(endpoint)
        with trio.move_on_after(3600) as patience:
            await dealer.wait_peers()
        assert patience.cancelled_caught
