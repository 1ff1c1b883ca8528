"""Plain streams over a virtual network, for peers that are played by hand; and an end for what hangs on one."""

from __future__ import annotations

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork, VirtualStream
from triomq.testing._listener import VirtualListener
from triomq.testing._transport import VirtualTcp

HANG = 20_000.0  # seconds of virtual time, which pass in next to no time


@pytest.fixture(name="virtual_network")
async def bounded_network(virtual_network: VirtualNetwork, nursery: trio.Nursery) -> VirtualNetwork:
    """A virtual network as the plugin's; a test that hangs fails on it."""

    async def give_up() -> None:
        await trio.sleep(HANG)
        raise trio.TooSlowError(f"the test has not ended after {HANG} s of virtual time")

    nursery.start_soon(give_up)
    return virtual_network


def tcp(net: VirtualNetwork, host: str = "localhost") -> VirtualTcp:
    """The tcp transport of a host."""
    return VirtualTcp(net._fabric, net._fabric.host(host))


async def dial(net: VirtualNetwork, endpoint: str, host: str = "localhost", **options: int) -> VirtualStream:
    """Connect to an endpoint from a host. ``options`` are `triomq.Options`, such as the sizes of buffers."""
    return await tcp(net, host).connect(endpoint.removeprefix("tcp://"), triomq.Options(**options))


async def listen(net: VirtualNetwork, host: str = "localhost", port: int = 0, **options: int) -> VirtualListener:
    """Listen on a port of a host; on a new one if it is 0."""
    return await tcp(net, host).listen(f"*:{port}", triomq.Options(**options))
