"""What tests of tcp on this machine share: its addresses, and a resolver of their own."""

from __future__ import annotations

import socket

import pytest
import trio
import trio.testing

from triomq._options import Options
from triomq._transports import SocketListener, SocketStream, TcpTransport

TCP = TcpTransport()
DEFAULTS = Options()
ONLY_IPV4 = Options(ipv6=False)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 address ::1")
LOOPBACK = next((name for _, name in socket.if_nameindex() if name in ("lo", "lo0")), "lo")


def address_of(listener: SocketListener) -> str:
    return listener.endpoint.removeprefix("tcp://")


def port_of(listener: SocketListener) -> str:
    return listener.endpoint.rpartition(":")[2]


async def meet(
    listener: SocketListener, address: str, options: Options = DEFAULTS
) -> tuple[SocketStream, SocketStream]:
    """Connect, accept, and see that it is one connection."""
    client = await TCP.connect(address, options)
    server = await listener.accept()
    await client.send_all(b"hello")
    assert await server.receive_some() == b"hello"
    return client, server


class Names(trio.abc.HostnameResolver):
    """A resolver of this test's own names; asked for anything else, it fails the test."""

    def __init__(self, **names: list[str]) -> None:
        self.names = names
        self.asked: list[str] = []

    async def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):
        await trio.lowlevel.checkpoint()
        name = host.decode("ascii")
        self.asked.append(name)
        return [
            (socket.AF_INET6, type, 6, "", (text, port, 0, 0))
            if ":" in text
            else (socket.AF_INET, type, 6, "", (text, port))
            for text in self.names[name]
        ]

    async def getnameinfo(self, sockaddr, flags):
        raise AssertionError
