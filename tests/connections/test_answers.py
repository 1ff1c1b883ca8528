"""When an answer is written: at once to a single message, together to several that came together."""

from __future__ import annotations

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

settled = trio.testing.wait_all_tasks_blocked


@pytest.mark.parametrize("requests", [1, 2, 5])
async def test_only_a_single_message_is_answered_at_once(virtual_network: VirtualNetwork, requests: int) -> None:
    """All this happens in one moment: what is sent soon after something else is gathered, if it is no answer."""
    net = virtual_network
    net.link("a", "b", latency=0.0)
    net.link("b", "a", latency=0.0)

    def written() -> int:
        return len([event for event in net.recorder.of_kind("sent") if event.host == "b"])

    async with net.open_context("a") as a, net.open_context("b") as b:
        server, client = b.socket(triomq.DEALER), a.socket(triomq.DEALER)
        client.connect(await server.bind("tcp://*:5555"))
        await server.wait_peers()
        await client.wait_peers()
        await server.send(b"for a start")
        await settled()
        moment, before = trio.current_time(), written()
        await client.send_many([b"question"] * requests)
        await settled()
        assert server.statistics().peers[0].receive_queue == requests
        await server.send(b"answer")
        assert written() - before == (requests == 1)
        await settled()
        assert written() - before == 1
        await server.send(b"unasked")
        assert written() - before == 1
        await settled()
        assert written() - before == 2
        assert trio.current_time() == moment
