"""A raw pair of virtual streams: what the network itself is tested with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

import triomq
from triomq.testing import VirtualNetwork, VirtualStream
from triomq.testing._network import VirtualTcp

Pair = Callable[..., Awaitable[tuple[VirtualStream, VirtualStream]]]


@pytest.fixture
def net(virtual_network: VirtualNetwork) -> VirtualNetwork:
    return virtual_network


@pytest.fixture
def tcp(net: VirtualNetwork) -> Callable[[str], VirtualTcp]:
    """The tcp transport of a host."""
    return lambda name: VirtualTcp(net._fabric, net._fabric.host(name))


@pytest.fixture
def connect(tcp) -> Pair:
    """Connect from one host to another: both ends."""

    async def pair(source: str = "a", target: str = "b", **options: int) -> tuple[VirtualStream, VirtualStream]:
        listener = await tcp(target).listen("*:0", triomq.Options(**options))
        port = listener.endpoint.rpartition(":")[2]
        near = await tcp(source).connect(f"{target}:{port}", triomq.Options(**options))
        far = await listener.accept()
        listener.close()
        return near, far

    return pair
