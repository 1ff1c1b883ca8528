"""When an answer is written: at once to a single message, together to several that came together."""

from __future__ import annotations

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork


@pytest.mark.parametrize("requests", [1, 2, 5])
async def test_only_a_single_message_is_answered_at_once(virtual_network: VirtualNetwork, requests: int) -> None:
    async with virtual_network.open_context("a") as a, virtual_network.open_context("b") as b:
        server, client = b.socket(triomq.DEALER), a.socket(triomq.DEALER)
        client.connect(await server.bind("tcp://*:5555"))
        await server.wait_peers()
        await client.wait_peers()
        (pipe,) = server._peers.pipes
        writer = pipe.sink
        await server.send(b"for a start")
        await trio.sleep(0.1)
        assert not writer.may_answer
        await client.send_many([b"question"] * requests)
        await trio.sleep(0.1)
        assert server.statistics().peers[0].receive_queue == requests
        assert writer.may_answer == (requests == 1)
        await server.send(b"answer")
        await trio.sleep(0.1)
        assert not writer.may_answer
