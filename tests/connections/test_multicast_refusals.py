"""What has no place in a multicast group: other sockets, noise, datagrams without room for data."""

from __future__ import annotations

import pytest

import triomq
from triomq import PUB, SUB
from triomq.testing import VirtualNetwork

GROUP = "epgm://eth0;239.192.1.1:5555"


@pytest.mark.parametrize("kind", [triomq.PUSH, triomq.PULL, triomq.REQ, triomq.DEALER, triomq.ROUTER, triomq.PAIR])
async def test_other_sockets_are_refused(virtual_network: VirtualNetwork, kind) -> None:
    async with virtual_network.open_context("a") as ctx:
        socket = ctx.socket(kind)
        with pytest.raises(triomq.EndpointError, match="a multicast group is for PUB, XPUB, SUB and XSUB, not for"):
            socket.connect(GROUP)
        with pytest.raises(triomq.EndpointError, match="not for"):
            await socket.bind(GROUP)
        assert socket.endpoints == ()


async def test_a_mechanism_is_refused(virtual_network: VirtualNetwork) -> None:
    """It would secure nothing, and the user would not know."""
    async with virtual_network.open_context("a") as ctx:
        socket = ctx.socket(PUB, mechanism=triomq.Plain("admin", "secret"))
        with pytest.raises(triomq.EndpointError, match="PGM has no handshake"):
            socket.connect(GROUP)
        with pytest.raises(triomq.EndpointError, match="PGM has no handshake"):
            await socket.bind(GROUP)
        assert socket.endpoints == ()


async def test_noise_is_told_of_and_harms_nobody(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context("a") as a, net.open_context("b") as b:
        publisher, subscriber = a.socket(PUB), b.socket(SUB, topics=[""])
        monitor = subscriber.monitor()
        subscriber.connect(GROUP)
        (port,) = net._fabric.hosts["b"].ports
        port.arrive(b"noise", bytes((10, 0, 0, 9)))
        event = await monitor.receive()
        assert isinstance(event, triomq.HandshakeFailed)
        assert isinstance(event.error, triomq.RemoteProtocolError)
        assert event.address == "10.0.0.9:5555"
        publisher.connect(GROUP)
        await publisher.send(b"one")
        assert bytes(await subscriber.receive()) == b"one"


async def test_a_small_mtu_and_ipv6() -> None:
    async with triomq.open_context() as ctx:
        with pytest.raises(triomq.EndpointError, match="148 or more"):
            ctx.socket(PUB, multicast_max_tpdu=130).connect("epgm://[ff15::1]:5")
