"""What a proxy does not pass on: a message that the other side's peers would hang up at."""

from __future__ import annotations

import trio

import triomq
from triomq.testing import VirtualNetwork

ENDPOINT = "tcp://127.0.0.1:0"


async def test_a_message_of_more_frames_than_the_other_side_sends_is_dropped_and_counted(
    virtual_network: VirtualNetwork,
) -> None:
    """A ROUTER adds a frame to what it receives. The worker is not cut off, and what comes behind gets there."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        router, dealer = ctx.socket(triomq.ROUTER, max_frames=11), ctx.socket(triomq.DEALER, max_frames=10)
        client, worker = (ctx.socket(triomq.DEALER, max_frames=10) for _ in range(2))
        client.connect(await router.bind(ENDPOINT))
        worker.connect(await dealer.bind(ENDPOINT))
        await dealer.wait_peers()
        handle = await nursery.start(triomq.proxy, router, dealer)
        for frames in (9, 10, 9):
            await client.send([b"it"] * frames)
        with trio.fail_after(1):
            assert [len(await worker.receive()) for _ in range(2)] == [10, 10]
        statistics = handle.statistics()
        assert (statistics.messages_forward, statistics.messages_dropped) == (2, 1)
        assert worker.peers
        nursery.cancel_scope.cancel()
