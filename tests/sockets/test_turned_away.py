"""A peer there is no place for waits for its turn: nothing hammers, nothing it sends is lost."""

from __future__ import annotations

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

TYPES = [(triomq.ROUTER, triomq.DEALER, {"routing_id": b"same"}), (triomq.PAIR, triomq.PAIR, {})]


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://it"])
@pytest.mark.parametrize(("bound", "connected", "options"), TYPES)
async def test_it_has_its_turn_when_the_first_leaves(
    endpoint: str, bound: type, connected: type, options: dict[str, bytes], virtual_network: VirtualNetwork
) -> None:
    """The second is told of once, and served, message for message, when the first has gone."""
    async with virtual_network.open_context() as ctx:
        one = ctx.socket(bound)
        monitor = one.monitor()
        endpoint = await one.bind(endpoint)
        first, second = (ctx.socket(connected, **options) for _ in range(2))
        first.connect(endpoint)
        await first.wait_peers()
        second.connect(endpoint)
        for number in range(50):
            await second.send(b"%d" % number)
        await trio.sleep(3600)
        events = []
        with pytest.raises(trio.WouldBlock):
            while True:
                events.append(monitor.receive_nowait())
        (failed,) = [event for event in events if isinstance(event, triomq.HandshakeFailed)]
        assert isinstance(failed.error, triomq.PeerUnwantedError)
        await first.send(b"still here")
        assert (await one.receive())[-1] == b"still here"
        await first.aclose()
        with trio.fail_after(5):
            assert [int((await one.receive())[-1]) for _ in range(50)] == list(range(50))


async def test_one_that_leaves_meanwhile_is_forgotten(virtual_network: VirtualNetwork) -> None:
    """Whoever gives up waiting leaves nothing behind."""
    async with virtual_network.open_context() as ctx:
        pair, first, second = (ctx.socket(triomq.PAIR) for _ in range(3))
        endpoint = await pair.bind("tcp://127.0.0.1:0")
        first.connect(endpoint)
        await first.wait_peers()
        second.connect(endpoint)
        await second.wait_peers()
        await second.aclose()
        await first.aclose()
        with pytest.raises(trio.TooSlowError), trio.fail_after(5):
            await pair.wait_peers()
