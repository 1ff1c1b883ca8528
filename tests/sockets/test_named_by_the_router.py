"""connect(..., routing_id=): the ROUTER's own name for the peer at an endpoint."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from ..cancellation.kit import NOBODY

settled = trio.testing.wait_all_tasks_blocked
every_scheme = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:5555", "inproc://it"])
every_way = pytest.mark.parametrize("immediate", [False, True])


@every_scheme
@pytest.mark.parametrize("own", [b"", b"own"])
@pytest.mark.parametrize("bound_first", [False, True])
async def test_the_peer_has_the_name_that_it_was_given(
    virtual_network: VirtualNetwork, endpoint: str, own: bytes, bound_first: bool
) -> None:
    """Before it is there, and whatever it calls itself."""
    async with virtual_network.open_context() as ctx:
        router, dealer = ctx.socket(triomq.ROUTER, router_mandatory=True), ctx.socket(triomq.DEALER, routing_id=own)
        if bound_first:
            await dealer.bind(endpoint)
        router.connect(endpoint, routing_id=b"named")
        router.connect(endpoint, routing_id=b"named")  # changes nothing
        await router.send([b"named", b"at once"])
        if not bound_first:
            await dealer.bind(endpoint)
        assert await dealer.receive() == (b"at once",)
        await dealer.send(b"hello")
        assert await router.receive() == (b"named", b"hello")
        assert [peer.routing_id for peer in router.peers] == [b"named"]
        if own:
            with pytest.raises(triomq.UnroutableError):
                await router.send([own, b"it"])


@every_scheme
@every_way
async def test_the_name_outlives_the_connection(
    virtual_network: VirtualNetwork, endpoint: str, immediate: bool
) -> None:
    """The next peer at the endpoint has the name; with ``immediate`` nothing is queued meanwhile."""
    async with virtual_network.open_context() as ctx:
        router = ctx.socket(triomq.ROUTER, router_mandatory=True, immediate=immediate)
        router.connect(endpoint, routing_id=b"named")
        for _ in range(2):
            if immediate:
                with pytest.raises(triomq.UnroutableError):
                    await router.send([b"named", b"to nobody"])
            else:
                await router.send([b"named", b"to come"])
            async with ctx.socket(triomq.DEALER) as dealer:
                await dealer.bind(endpoint)
                await router.wait_peers()
                await router.send([b"named", b"there"])
                received = [await dealer.receive() for _ in range(1 if immediate else 2)]
                assert received == ([(b"there",)] if immediate else [(b"to come",), (b"there",)])
            await router.wait_peers(0)


@every_scheme
async def test_a_name_in_use_is_refused(virtual_network: VirtualNetwork, endpoint: str) -> None:
    """Given to another endpoint, or announced by a peer; once free, it can be given."""
    async with virtual_network.open_context() as ctx:
        router, dealer = ctx.socket(triomq.ROUTER), ctx.socket(triomq.DEALER, routing_id=b"taken")
        dealer.connect(await router.bind(endpoint))
        await router.wait_peers()
        router.connect("inproc://other", routing_id=b"given")
        for name in (b"taken", b"given"):
            with pytest.raises(triomq.WrongStateError, match="is in use"):
                router.connect("inproc://another", routing_id=name)
        with pytest.raises(triomq.WrongStateError, match="connected to inproc://other already"):
            router.connect("inproc://other", routing_id=b"something else")
        assert router.endpoints == (endpoint, "inproc://other")
        router.disconnect("inproc://other")
        router.connect("inproc://another", routing_id=b"given")
        await dealer.aclose()
        await router.wait_peers(0)
        router.connect("inproc://third", routing_id=b"taken")


async def test_a_peer_that_announces_a_name_that_was_given_waits(virtual_network: VirtualNetwork) -> None:
    """As any other whose routing id is in use."""
    async with virtual_network.open_context() as ctx:
        router, dealer = ctx.socket(triomq.ROUTER), ctx.socket(triomq.DEALER, routing_id=b"named")
        router.connect(NOBODY, routing_id=b"named")
        dealer.connect(await router.bind("tcp://127.0.0.1:0"))
        await settled()
        assert router.peers == ()
        router.disconnect(NOBODY)
        await router.wait_peers()
        assert [peer.routing_id for peer in router.peers] == [b"named"]


async def test_a_peer_that_comes_by_the_same_endpoint_has_its_own_name(virtual_network: VirtualNetwork) -> None:
    """A ROUTER may be bound to the endpoint that it is connected to."""
    async with virtual_network.open_context() as ctx:
        router = ctx.socket(triomq.ROUTER, routing_id=b"me")
        router.connect(await router.bind("tcp://127.0.0.1:5555"), routing_id=b"named")
        await router.wait_peers(2)
        assert {peer.routing_id for peer in router.peers} == {b"named", b"me"}
        await router.send([b"named", b"to myself"])
        assert await router.receive() == (b"me", b"to myself")


@pytest.mark.parametrize(
    ("name", "error", "text"),
    [
        ("text", TypeError, "routing_id is bytes, not str"),
        (b"", ValueError, "1 to 255 bytes"),
        (bytes(range(1, 256)) + b"x", ValueError, "1 to 255 bytes, and this one has 256"),
        (b"\0x", ValueError, "begins with a zero byte"),
    ],
)
async def test_what_is_no_name_is_refused(name: Any, error: type[Exception], text: str) -> None:
    async with triomq.open_context() as ctx:
        router = ctx.socket(triomq.ROUTER)
        with pytest.raises(error, match=text):
            router.connect("inproc://it", routing_id=name)
        with pytest.raises(triomq.EndpointError):
            router.connect("nonsense", routing_id=b"named")
        assert router.endpoints == ()
        router.connect("inproc://it", routing_id=b"named")


async def test_other_types_give_no_names() -> None:
    async with triomq.open_context() as ctx:
        dealer: Any = ctx.socket(triomq.DEALER)
        with pytest.raises(TypeError, match="routing_id"):
            dealer.connect("inproc://it", routing_id=b"named")
