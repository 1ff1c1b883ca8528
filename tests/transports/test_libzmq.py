"""libzmq at the other end of our streams: do addresses mean the same to both?

ZMTP is not spoken here. That libzmq's greeting arrives (RFC 37 §2.1: it begins with FF, eight octets and 7F)
shows that the connection is there.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator

import pytest
import trio

from triomq._options import Options
from triomq._transports import IpcTransport, SocketStream, TcpTransport, default_transports, split_endpoint

zmq = pytest.importorskip("zmq")
pytestmark = pytest.mark.interop

DEFAULTS = Options()
LOOPBACK = next((name for _, name in socket.if_nameindex() if name in ("lo", "lo0")), "lo")
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the abstract namespace is Linux's")
ABSTRACT = pytest.param(f"ipc://@triomq-libzmq-{os.getpid()}", marks=ON_LINUX, id="ipc-abstract")
BINDABLE = ["tcp://127.0.0.1:*", "tcp://*:*", "tcp://localhost:*", "ipc://feed", "ipc://*", ABSTRACT]


@pytest.fixture
def peer(tmp_path, monkeypatch) -> Iterator[zmq.Socket]:
    """A socket of libzmq with its defaults (no IPv6)."""
    monkeypatch.chdir(tmp_path)
    with zmq.Context() as context, context.socket(zmq.PUSH) as peer:
        peer.linger = 0
        yield peer


async def check_greeting(stream: SocketStream) -> None:
    greeting = b""
    with trio.fail_after(60):
        while len(greeting) < 10:
            greeting += await stream.receive_some()
    assert (greeting[0], greeting[9]) == (0xFF, 0x7F)


@pytest.mark.parametrize("endpoint", [*BINDABLE, f"tcp://{LOOPBACK}:*", "ipc://./feed"])
async def test_libzmq_connects_to_what_we_report(peer, endpoint):
    scheme, address = split_endpoint(endpoint)
    transport = default_transports()[scheme]
    async with await transport.listen(address, DEFAULTS) as listener:
        peer.connect(listener.endpoint)
        with trio.fail_after(60):
            stream = await listener.accept()
        async with stream:
            await check_greeting(stream)


@pytest.mark.parametrize("ipv6", [False, True])
@pytest.mark.parametrize("endpoint", BINDABLE)
async def test_we_connect_to_what_libzmq_reports(peer, endpoint, ipv6):
    peer.ipv6 = ipv6
    peer.bind(endpoint)
    scheme, address = split_endpoint(peer.last_endpoint.decode().rstrip("\0"))
    transport = default_transports()[scheme]
    transport.check_connect(address)
    async with await transport.connect(address, DEFAULTS) as stream:
        await check_greeting(stream)


async def test_libzmqs_living_socket_keeps_what_it_bound(peer):
    peer.bind("ipc://feed")
    with pytest.raises(OSError, match="a living socket listens there"):
        await IpcTransport().listen("feed", DEFAULTS)
    port = peer.bind_to_random_port("tcp://127.0.0.1")
    with pytest.raises(OSError, match="another socket has this port"):
        await TcpTransport().listen(f"127.0.0.1:{port}", DEFAULTS)


async def test_closing_leaves_the_path_that_libzmq_took(peer):
    async with await IpcTransport().listen("feed", DEFAULTS):
        peer.bind("ipc://feed")  # succeeds: it removes our file and makes its own
    async with await IpcTransport().connect("feed", DEFAULTS) as stream:
        await check_greeting(stream)
