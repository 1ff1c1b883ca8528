"""The text of tcp endpoints."""

from __future__ import annotations

import socket

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from triomq._errors import EndpointError
from triomq._transports import TcpTransport
from triomq._transports._tcp_address import (
    Host,
    TcpAddress,
    _interface_ipv6,
    format_address,
    interface_targets,
    parse_bind,
    parse_connect,
    resolve,
)

LOCAL = Host("ipv4", "127.0.0.1")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("*:5555", TcpAddress(Host("any", "*"), 5555)),
        ("[*]:*", TcpAddress(Host("any", "*"), 0)),
        ("127.0.0.1:0", TcpAddress(LOCAL, 0)),
        ("127.0.0.1:*", TcpAddress(LOCAL, 0)),
        ("127.0.0.1:65535", TcpAddress(LOCAL, 65535)),
        ("127.0.0.1:05998", TcpAddress(LOCAL, 5998)),
        ("[127.0.0.1]:1", TcpAddress(LOCAL, 1)),
        ("127.1:1", TcpAddress(LOCAL, 1)),
        ("0:1", TcpAddress(Host("ipv4", "0.0.0.0"), 1)),
        ("[::]:1", TcpAddress(Host("ipv6", "::"), 1)),
        (":::1", TcpAddress(Host("ipv6", "::"), 1)),
        ("::1:5999", TcpAddress(Host("ipv6", "::1"), 5999)),
        ("[fe80::1%eth0]:1", TcpAddress(Host("ipv6", "fe80::1%eth0"), 1)),
        ("eth0:1", TcpAddress(Host("name", "eth0"), 1)),
        ("eth0.100:1", TcpAddress(Host("name", "eth0.100"), 1)),
        ("br-12ab:1", TcpAddress(Host("name", "br-12ab"), 1)),
        ("my_host.example.:1", TcpAddress(Host("name", "my_host.example."), 1)),
        ("bücher.example:1", TcpAddress(Host("name", "bücher.example"), 1)),
    ],
)
def test_what_can_be_bound(address, expected):
    assert parse_bind(address) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1:5555", TcpAddress(LOCAL, 5555)),
        ("0.0.0.0:5555", TcpAddress(Host("ipv4", "0.0.0.0"), 5555)),
        ("[::1]:5555", TcpAddress(Host("ipv6", "::1"), 5555)),
        ("example.org:80", TcpAddress(Host("name", "example.org"), 80)),
        ("127.0.0.1:0;127.0.0.1:5", TcpAddress(LOCAL, 5, (LOCAL, 0))),
        ("127.0.0.1:*;127.0.0.1:5", TcpAddress(LOCAL, 5, (LOCAL, 0))),
        ("127.0.0.1;127.0.0.1:5", TcpAddress(LOCAL, 5, (LOCAL, 0))),
        ("127.0.0.1:77;127.0.0.1:5", TcpAddress(LOCAL, 5, (LOCAL, 77))),
        ("lo;127.0.0.1:5", TcpAddress(LOCAL, 5, (Host("name", "lo"), 0))),
        ("[::1];[::1]:5", TcpAddress(Host("ipv6", "::1"), 5, (Host("ipv6", "::1"), 0))),
        ("[::1]:6;[::1]:5", TcpAddress(Host("ipv6", "::1"), 5, (Host("ipv6", "::1"), 6))),
    ],
)
def test_what_can_be_connected_to(address, expected):
    assert parse_connect(address) == expected
    TcpTransport().check_connect(address)


MALFORMED = [
    ("127.0.0.1", "no port"),
    ("[::1]", "no port"),
    ("127.0.0.1:", "port after ':' is empty"),
    ("127.0.0.1:65536", "not a port"),
    ("127.0.0.1:123456789012345678901234567890", "not a port"),
    ("127.0.0.1:-1", "not a port"),
    ("127.0.0.1:+5", "not a port"),
    ("127.0.0.1: 55", "not a port"),
    ("127.0.0.1:5a", "not a port"),
    ("127.0.0.1:0x10", "not a port"),
    ("127.0.0.1:٥", "not a port"),
    (":5555", "host is empty"),
    ("[]:5555", "host is empty"),
    ("::1", "not an IPv6 address"),
    ("1::2", "not an IPv6 address"),
    ("[::1%]:5", "not an IPv6 address"),
    ("[fe80::1%\0]:5", "not an IPv6 address"),
    ("[::\0]:5", "not an IPv6 address"),
    ("[12345::]:5", "not an IPv6 address"),
    ("[::é]:5", "not an IPv6 address"),
    ("256.1.1.1:5", "not an IPv4 address"),
    ("1.2.3.4.5:5", "not an IPv4 address"),
    (".:5", "not an IPv4 address"),
    ("exa mple:5", "not a host name"),
    ("host/path:5", "not a host name"),
    ("a..b:5", "not a host name"),
    ("-a:5", "not a host name"),
    ("a-:5", "not a host name"),
    ("[::1:5", "not a"),
    (f"{'a' * 64}:5", "not a host name"),
    (f"{'ü' * 62}:5", "not a host name"),  # too long as it goes into the name system
    ("ho\nst:5", "not a host name"),
    ("host\n:5", "not a host name"),
    ("user@host:5", "not a host name"),
]


@pytest.mark.parametrize(("address", "complaint"), MALFORMED)
@pytest.mark.parametrize(("parse", "example"), [(parse_bind, "'tcp://*:5555'"), (parse_connect, "example.org")])
def test_a_malformed_address_is_refused_with_what_is_wrong_and_what_is_right(parse, example, address, complaint):
    with pytest.raises(EndpointError) as caught:
        parse(address)
    text = str(caught.value)
    assert complaint in text
    assert repr(f"tcp://{address}") in text
    assert text.isprintable()  # whatever somebody typed: the text goes into logs and onto terminals
    assert example in text


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("*:5555", "'*' is for binding"),
        ("127.0.0.1:0", "for binding"),
        ("127.0.0.1:*", "for binding"),
        ("*:0;127.0.0.1:5555", "no source"),
        (";127.0.0.1:5555", "host is empty"),
        ("lo:0;", "no port"),
        ("::1;[::1]:5", "not an IPv6 address"),
        ("lo:x;127.0.0.1:5555", "not a port"),
        ("lo:0;lo:0;127.0.0.1:5555", "not a"),
    ],
)
def test_what_can_never_be_connected_to_is_refused(address, complaint):
    with pytest.raises(EndpointError) as caught:
        TcpTransport().check_connect(address)
    assert complaint in str(caught.value)


def test_a_source_is_not_for_binding():
    with pytest.raises(EndpointError, match="for connecting only"):
        parse_bind("lo:0;127.0.0.1:5555")


@given(st.text(alphabet=st.one_of(st.sampled_from("01289.:[]*;%-_abflo/ \0é"), st.characters())))
def test_any_text_is_parsed_or_refused(text):
    for parse in (parse_bind, parse_connect):
        try:
            parsed = parse(text)
        except EndpointError:
            continue
        assert 0 <= parsed.port <= 65535
        assert parsed.host.text


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (("127.0.0.1", 5), "tcp://127.0.0.1:5"),
        (("::1", 5, 0, 0), "tcp://[::1]:5"),
        (("fe80::1%eth0", 5, 0, 2), "tcp://[fe80::1%eth0]:5"),
        (("::ffff:10.0.0.1", 5, 0, 0), "tcp://10.0.0.1:5"),
    ],
)
def test_addresses_are_written_as_endpoints(address, expected):
    assert format_address(address) == expected


class NoResolver(trio.abc.HostnameResolver):
    async def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):
        raise AssertionError(f"the resolver was asked for {host!r}")

    async def getnameinfo(self, sockaddr, flags):
        raise AssertionError


@pytest.mark.parametrize(
    ("text", "to_connect", "family", "address"),
    [
        ("127.0.0.1:5", True, socket.AF_INET, ("127.0.0.1", 5)),
        ("0.0.0.0:5", False, socket.AF_INET, ("0.0.0.0", 5)),
        ("0.0.0.0:5", True, socket.AF_INET, ("127.0.0.1", 5)),
        ("[::1]:5", True, socket.AF_INET6, ("::1", 5, 0, 0)),
        ("[0:0::0]:5", True, socket.AF_INET6, ("::1", 5, 0, 0)),
        ("[::]:5", False, socket.AF_INET6, ("::", 5, 0, 0)),
        ("[fe80::1%7]:5", True, socket.AF_INET6, ("fe80::1", 5, 0, 7)),
    ],
)
async def test_numbers_need_no_resolver(text, to_connect, family, address):
    trio.socket.set_custom_hostname_resolver(NoResolver())
    parsed = parse_bind(text)
    assert await resolve(parsed.host, parsed.port, interfaces=True, to_connect=to_connect) == [(family, address)]


async def test_a_zone_that_is_not_there_is_an_os_error():
    with pytest.raises(OSError):
        await resolve(Host("ipv6", "fe80::1%nosuchif"), 5, interfaces=True, to_connect=True)


@pytest.mark.parametrize("name", ["nosuchif", "averyverylonginterfacename", "é"])
def test_there_is_no_such_interface(name):
    assert interface_targets(name, 5) == []


LOOPBACK = next((name for _, name in socket.if_nameindex() if name in ("lo", "lo0")), "lo")


@pytest.mark.skipif(not _interface_ipv6(LOOPBACK), reason="the loopback interface shows no IPv6 address")
def test_an_interface_has_ipv6_addresses_too():
    assert interface_targets(LOOPBACK, 5)[1:] == [(socket.AF_INET6, ("::1", 5, 0, 0))]
