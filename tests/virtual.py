"""Plain streams over a virtual network, for peers that are played by hand."""

from __future__ import annotations

import triomq
from triomq.testing import VirtualNetwork, VirtualStream
from triomq.testing._network import VirtualListener, VirtualTcp


def tcp(net: VirtualNetwork, host: str = "localhost") -> VirtualTcp:
    """The tcp transport of a host."""
    return VirtualTcp(net._fabric, net._fabric.host(host))


async def dial(net: VirtualNetwork, endpoint: str, host: str = "localhost", **options: int) -> VirtualStream:
    """Connect to an endpoint from a host. ``options`` are `triomq.Options`, such as the sizes of buffers."""
    return await tcp(net, host).connect(endpoint.removeprefix("tcp://"), triomq.Options(**options))


async def listen(net: VirtualNetwork, host: str = "localhost", port: int = 0, **options: int) -> VirtualListener:
    """Listen on a port of a host; on a new one if it is 0."""
    return await tcp(net, host).listen(f"*:{port}", triomq.Options(**options))
