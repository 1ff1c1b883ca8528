"""What the statistics say of a socket that ended with something left to send."""

from __future__ import annotations

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork

from .played import PlayedPeer

SIZE = 50_000  # octets of a message; all of them together are one write, and more than a connection takes


@pytest.mark.parametrize("end", ["aclose", "disconnect", "cancelled"])
@pytest.mark.parametrize("kind", ["PUSH", "PAIR", "DEALER"])
async def test_a_message_that_left_whole_is_sent_and_not_dropped(
    kind: str, end: str, virtual_network: VirtualNetwork
) -> None:
    """Also if it left together with others, of which the connection did not take all."""
    async with virtual_network.open_context() as ctx:
        async with PlayedPeer(virtual_network, {"PUSH": "PULL"}.get(kind, kind)) as peer:
            socket = ctx.socket(getattr(triomq, kind), linger=0)
            socket.connect(peer.endpoint)
            await peer.greet()
            await socket.send_many([bytes(SIZE)] * 60)
            await peer.read(10 * (SIZE + 10))
            (row,) = socket.statistics().peers
            assert row.messages_sent >= 10
            assert row.messages_sent + row.send_queue == 60
            if end == "disconnect":
                socket.disconnect(peer.endpoint)
            elif end == "aclose":
                await socket.aclose()
            else:
                with trio.CancelScope() as scope:
                    scope.cancel()
                    await socket.aclose()
            statistics = socket.statistics()
            assert 10 <= statistics.messages_sent < 60
            assert statistics.messages_sent + statistics.messages_dropped == 60


async def test_what_has_left_counts_against_no_hwm(virtual_network: VirtualNetwork) -> None:
    """As much may be queued again as the connection has taken whole, though it took only a part of the write."""
    async with virtual_network.open_context() as ctx:
        async with PlayedPeer(virtual_network, "PULL") as peer:
            push = ctx.socket(triomq.PUSH, linger=0, send_hwm=60)
            push.connect(peer.endpoint)
            await peer.greet()
            await push.send_many([bytes(SIZE)] * 60)
            await peer.read(10 * (SIZE + 10))
            (row,) = push.statistics().peers
            assert row.send_hwm == 60
            for _ in range(row.messages_sent):
                push.send_nowait(b"more")
            with pytest.raises(trio.WouldBlock):
                push.send_nowait(b"too much")
