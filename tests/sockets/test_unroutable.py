"""A message to a routing id that nobody has: dropped, counted, and told of."""

from __future__ import annotations

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from .test_notes import told


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://it"])
async def test_it_is_told_of_at_once_then_once_a_minute_with_the_sum(
    endpoint: str, virtual_network: VirtualNetwork
) -> None:
    async with virtual_network.open_context() as ctx:
        router = ctx.socket(triomq.ROUTER)
        await router.bind(endpoint)
        monitor = router.monitor()
        await router.send([b"nobody", b"1"])
        await trio.testing.wait_all_tasks_blocked()
        (event,) = told(monitor, triomq.MessageDropped)
        assert (event.reason, event.count, event.routing_id, event.peer) == ("unroutable", 1, b"nobody", None)
        assert event.endpoint == event.address == "", "it concerns none of them"
        for number in range(1000):
            await router.send([b"%d" % number, b"2"])
        await trio.sleep(59)
        assert not told(monitor, triomq.MessageDropped)
        await trio.sleep(2)
        (event,) = told(monitor, triomq.MessageDropped)
        assert (event.count, event.routing_id) == (1000, b"999"), "the last of them"
        await trio.sleep(200)
        await router.send([b"again", b"3"])
        await trio.sleep(0.2)
        (event,) = told(monitor, triomq.MessageDropped)
        assert (event.count, event.routing_id) == (1, b"again"), "after a quiet minute, at once"
        assert router.statistics().messages_dropped == 1002


async def test_a_closed_router_tells_the_rest(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        router = ctx.socket(triomq.ROUTER)
        monitor = router.monitor()
        await router.send([b"nobody", b"1"])
        await trio.testing.wait_all_tasks_blocked()
        await router.send([b"nobody", b"2"])
        await router.send([b"nobody", b"3"])
        await router.aclose()
        assert [event.count for event in told(monitor, triomq.MessageDropped)] == [1, 2]


async def test_with_router_mandatory_the_error_tells(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        router = ctx.socket(triomq.ROUTER, router_mandatory=True)
        monitor = router.monitor()
        with pytest.raises(triomq.UnroutableError):
            await router.send([b"nobody", b"1"])
        await trio.sleep(1)
        assert not told(monitor, triomq.MessageDropped)
