"""Who speaks which scheme."""

from __future__ import annotations

import pytest

from triomq._errors import EndpointError, UnsupportedTransportError
from triomq._transports import IpcTransport, TcpTransport, default_transports, find_transport


def test_tcp_and_ipc_are_there_from_the_start():
    transports = default_transports()
    assert sorted(transports) == ["ipc", "tcp"]
    transport, address = find_transport("tcp://127.0.0.1:5555", transports)
    assert isinstance(transport, TcpTransport)
    assert address == "127.0.0.1:5555"
    transport, address = find_transport("ipc:///tmp/feed", transports)
    assert isinstance(transport, IpcTransport)
    assert address == "/tmp/feed"


def test_each_context_has_a_table_of_its_own():
    transports = default_transports()
    del transports["tcp"]
    assert "tcp" in default_transports()


def test_a_users_transport_is_found_by_its_scheme():
    mine = TcpTransport()
    assert find_transport("virtual://x", {"virtual": mine}) == (mine, "x")


def test_an_unknown_scheme_is_refused_with_the_known_ones():
    with pytest.raises(UnsupportedTransportError, match=r"unknown scheme 'foo'.*there are inproc, ipc, tcp"):
        find_transport("foo://x", default_transports(), also=["inproc"])


@pytest.mark.parametrize("scheme", ["pgm", "epgm", "norm", "tipc", "vmci", "udp", "ws", "wss"])
def test_a_scheme_of_libzmq_that_is_not_here_is_named_as_such(scheme):
    with pytest.raises(UnsupportedTransportError, match=rf"triomq does not speak '{scheme}' \(yet\)"):
        find_transport(f"{scheme}://x", default_transports())


def test_a_malformed_endpoint_is_refused():
    with pytest.raises(EndpointError, match="no '://'"):
        find_transport("tcp", default_transports())
