"""Under which name `statistics` lists a peer."""

from __future__ import annotations

import pytest

import triomq


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://it"])
@pytest.mark.parametrize("bound", [triomq.ROUTER, triomq.DEALER, triomq.REP])
async def test_the_one_it_announced(endpoint: str, bound: type) -> None:
    """On every socket type, as `peers` does."""
    async with triomq.open_context() as ctx:
        socket, named = ctx.socket(bound), ctx.socket(triomq.DEALER, routing_id=b"me")
        named.connect(await socket.bind(endpoint))
        await socket.wait_peers()
        assert [peer.routing_id for peer in socket.statistics().peers] == [b"me"]
        assert [peer.routing_id for peer in socket.peers] == [b"me"]
