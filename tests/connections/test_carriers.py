"""Which carrier an endpoint is given to."""

from __future__ import annotations

import pytest

import triomq
from triomq import EndpointError, UnsupportedTransportError
from triomq._connections import Carriers
from triomq.abc import StreamCarrier, Transport
from triomq.testing import VirtualNetwork


class Nowhere(Transport):
    """A transport that is only looked up."""

    def check_connect(self, address):
        raise AssertionError("looked up, not used")

    async def connect(self, address, options):
        raise AssertionError("looked up, not used")

    async def listen(self, address, options):
        raise AssertionError("looked up, not used")


def test_every_context_has_its_schemes() -> None:
    carriers = Carriers({})
    for endpoint, address in (
        ("tcp://127.0.0.1:5555", "127.0.0.1:5555"),
        ("ipc:///tmp/feed", "/tmp/feed"),
        ("inproc://a", "a"),
    ):
        assert carriers.find(endpoint)[1] == address
    assert carriers.find("tcp://a:1")[0] is not carriers.find("ipc://a")[0]


def test_two_contexts_share_no_inproc_names() -> None:
    assert Carriers({}).find("inproc://a")[0] is not Carriers({}).find("inproc://a")[0]


def test_a_transport_of_the_users_gets_the_carrier_of_streams() -> None:
    carrier, address = Carriers({"virtual": Nowhere()}).find("virtual://x")
    assert isinstance(carrier, StreamCarrier)
    assert address == "x"


def test_a_carrier_of_the_users_is_taken_as_it_is_and_may_replace_ours() -> None:
    mine = StreamCarrier(Nowhere())
    carriers = Carriers({"tcp": mine, "mine": mine})
    assert carriers.find("tcp://x")[0] is carriers.find("mine://x")[0] is mine


def test_an_unknown_scheme_is_refused_with_the_list_of_those_that_are() -> None:
    why = "unknown scheme 'foo'; there are epgm, inproc, ipc, mine, pgm, tcp, and"
    with pytest.raises(UnsupportedTransportError, match=why):
        Carriers({"mine": Nowhere()}).find("foo://x")


@pytest.mark.parametrize("scheme", ["norm", "tipc", "vmci", "udp", "ws", "wss"])
def test_a_scheme_of_libzmq_is_no_typing_error(scheme: str) -> None:
    with pytest.raises(UnsupportedTransportError, match=rf"triomq does not speak '{scheme}' \(yet\)"):
        Carriers({}).find(f"{scheme}://x")


def test_what_is_no_endpoint_is_refused() -> None:
    with pytest.raises(EndpointError):
        Carriers({}).find("tcp")
    assert issubclass(UnsupportedTransportError, triomq.EndpointError)


def test_a_stream_carrier_may_name_a_transport_of_the_context() -> None:
    by_name = StreamCarrier("other")
    one, two = Nowhere(), Nowhere()
    for transport in (one, two):  # and serves two contexts
        carrier, _ = Carriers({"other": transport, "mine": by_name}).find("mine://x")
        assert isinstance(carrier, StreamCarrier)
        assert carrier._transport is transport


@pytest.mark.parametrize("scheme", ["other", "inproc", "mine"])
async def test_a_transport_that_the_context_has_not_is_refused_when_it_is_opened(scheme: str) -> None:
    with pytest.raises(UnsupportedTransportError, match=rf"StreamCarrier\('{scheme}'\).*there are ipc, tcp$"):
        async with triomq.open_context(transports={"mine": StreamCarrier(scheme)}):
            pytest.fail("opened")


@pytest.mark.parametrize("given", [Nowhere, "tcp", None])
async def test_what_is_neither_a_transport_nor_a_carrier_is_refused_when_the_context_is_opened(given: object) -> None:
    with pytest.raises(TypeError, match=r"takes objects of triomq\.abc\.Transport or triomq\.abc\.Carrier"):
        async with triomq.open_context(transports={"mine": given}):  # type: ignore[dict-item]
            pytest.fail("opened")


async def test_an_endpoint_has_the_scheme_of_its_carrier(virtual_network: VirtualNetwork) -> None:
    """Or whoever connects to it would speak what the transport by itself speaks."""
    async with virtual_network.open_context(transports={"mine": StreamCarrier("tcp")}) as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        monitor = pull.monitor()
        endpoint = await pull.bind("mine://*:0")
        assert endpoint.startswith("mine://localhost:")
        assert pull.endpoints == (endpoint,)
        push.connect(endpoint)
        await pull.wait_peers()
        await push.wait_peers()
        assert pull.peers[0].endpoint == push.peers[0].endpoint == endpoint
        await pull.unbind(endpoint)
        await pull.aclose()
        events = [event async for event in monitor]
        assert [type(event) for event in events] == [
            triomq.Listening,
            triomq.Connected,
            triomq.HandshakeSucceeded,
            triomq.ListeningStopped,
            triomq.Disconnected,
        ]
        assert {event.endpoint for event in events} == {endpoint}
