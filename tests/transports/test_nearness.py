"""Which peers are on this machine."""

from __future__ import annotations

import socket

import pytest

from triomq._transports._nearness import has_near_peer, near
from triomq.testing._network import VirtualStream

from .loopback import DEFAULTS, TCP, address_of, meet, needs_ipv6


@pytest.mark.parametrize(
    ("own", "peer", "answer"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.8.9.10", True),
        ("192.0.2.7", "192.0.2.7", True),
        ("::1", "::1", True),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.2", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.8", False),
        ("2001:db8::1", "2001:db8::127.0.0.1", False),
    ],
)
def test_near(own, peer, answer):
    assert near(own, peer) is answer


@pytest.mark.parametrize("address", ["127.0.0.1:0", pytest.param("[::1]:0", marks=needs_ipv6)])
async def test_over_the_loopback_interface_each_end_is_near_the_other(address: str) -> None:
    async with await TCP.listen(address, DEFAULTS) as listener:
        for stream in await meet(listener, address_of(listener)):
            assert stream.is_near
            stream.close()


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="Windows's Python has no UNIX domain sockets")
def test_over_ipc_each_end_is_near_the_other() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert has_near_peer(one)
        assert has_near_peer(other)


def test_who_has_no_peer_has_none_nearby() -> None:
    with socket.socket() as sock:
        assert not has_near_peer(sock)


def test_a_stream_between_virtual_machines_has_no_near_end() -> None:
    assert not VirtualStream.is_near
