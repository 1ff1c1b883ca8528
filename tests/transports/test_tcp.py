"""tcp with real sockets on this machine: binding, and options."""

from __future__ import annotations

import errno
import re
import socket

import pytest
import trio
import trio.testing

from triomq._errors import AddressInUseError, EndpointError, ZmqError
from triomq._options import Options
from triomq._transports import _tcp as tcp_module
from triomq._transports._tcp_address import Target

from .loopback import DEFAULTS, LOOPBACK, ONLY_IPV4, TCP, Names, address_of, meet, needs_ipv6, port_of

# --- binding ---


@pytest.mark.parametrize("port", ["0", "*"])
async def test_an_ephemeral_port_is_reported(port):
    async with await TCP.listen(f"127.0.0.1:{port}", DEFAULTS) as listener:
        assert re.fullmatch(r"tcp://127\.0\.0\.1:[1-9][0-9]*", listener.endpoint)
        client, server = await meet(listener, address_of(listener))
        assert client.peer == listener.endpoint
        assert server.peer.startswith("tcp://127.0.0.1:")
        client.close(), server.close()


@pytest.mark.parametrize("options", [DEFAULTS, ONLY_IPV4])
async def test_everywhere_is_reported_as_everybody_can_read_it(options):
    async with await TCP.listen("*:*", options) as listener:
        assert re.fullmatch(r"tcp://0\.0\.0\.0:[1-9][0-9]*", listener.endpoint)
        for address in (address_of(listener), f"127.0.0.1:{port_of(listener)}"):
            client, server = await meet(listener, address)
            assert server.peer.startswith("tcp://127.0.0.1:")  # not ::ffff:127.0.0.1
            client.close(), server.close()


@needs_ipv6
async def test_everywhere_is_on_ipv6_too():
    async with await TCP.listen("*:*", DEFAULTS) as listener:
        for host in ("[::1]", "::1", "[::]"):
            client, server = await meet(listener, f"{host}:{port_of(listener)}")
            assert client.peer == f"tcp://[::1]:{port_of(listener)}"
            client.close(), server.close()


@needs_ipv6
async def test_everywhere_is_on_ipv4_only_without_the_option():
    async with await TCP.listen("*:*", ONLY_IPV4) as listener:
        with pytest.raises(ConnectionRefusedError):
            await TCP.connect(f"[::1]:{port_of(listener)}", DEFAULTS)


@pytest.mark.parametrize("code", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
async def test_everywhere_where_ipv6_is_switched_off(monkeypatch, code):
    bind = tcp_module._bind

    def without_ipv6(target: Target, options: Options) -> socket.socket:
        if target.family == socket.AF_INET6:
            raise OSError(code, "no IPv6 here")
        return bind(target, options)

    monkeypatch.setattr(tcp_module, "_bind", without_ipv6)
    async with await TCP.listen("*:*", DEFAULTS) as listener:
        client, server = await meet(listener, address_of(listener))
        client.close(), server.close()


@needs_ipv6
@pytest.mark.parametrize(("address", "host"), [("[::1]:0", "[::1]"), ("::1:*", "[::1]"), ("[::]:0", "[::]")])
async def test_ipv6_addresses(address, host):
    async with await TCP.listen(address, DEFAULTS) as listener:
        assert listener.endpoint == f"tcp://{host}:{port_of(listener)}"
        client, server = await meet(listener, address_of(listener))
        client.close(), server.close()


@needs_ipv6
async def test_an_ipv6_address_with_a_zone():
    async with await TCP.listen(f"[::1%{LOOPBACK}]:0", DEFAULTS) as listener:
        client, server = await meet(listener, f"[::1%{LOOPBACK}]:{port_of(listener)}")
        client.close(), server.close()


async def test_an_interface_is_its_first_ipv4_address():
    async with await TCP.listen(f"{LOOPBACK}:0", DEFAULTS) as listener:
        assert listener.endpoint.startswith("tcp://127.0.0.1:")
        client, server = await meet(listener, address_of(listener))
        client.close(), server.close()


@needs_ipv6
async def test_an_interface_without_ipv4_is_its_ipv6_address(monkeypatch):
    only = [Target(socket.AF_INET6, ("::1", 0, 0, 0))]
    monkeypatch.setattr("triomq._transports._tcp_address.interface_targets", lambda name, port: only)
    async with await TCP.listen("eth9:0", DEFAULTS) as listener:
        assert listener.endpoint.startswith("tcp://[::1]:")
    with pytest.raises(OSError, match="ipv6=False") as caught:
        await TCP.listen("eth9:0", ONLY_IPV4)
    assert caught.value.errno == errno.EAFNOSUPPORT


async def test_a_host_name_is_bound_on_ipv4_if_it_has_it():
    trio.socket.set_custom_hostname_resolver(Names(here=["::1", "127.0.0.1"]))
    async with await TCP.listen("here:0", DEFAULTS) as listener:
        assert listener.endpoint.startswith("tcp://127.0.0.1:")


async def test_localhost_is_a_host_to_bind():
    async with await TCP.listen("localhost:0", DEFAULTS) as listener:
        client, server = await meet(listener, f"localhost:{port_of(listener)}")
        client.close(), server.close()


async def test_a_port_has_one_living_owner():
    async with await TCP.listen("127.0.0.1:0", DEFAULTS) as listener:
        for host in ("127.0.0.1", "localhost", LOOPBACK, "0.0.0.0", "*"):
            address = f"{host}:{port_of(listener)}"
            with pytest.raises(AddressInUseError, match=re.escape(f"cannot bind tcp://{address}: ")) as caught:
                await TCP.listen(address, DEFAULTS)
            assert caught.value.errno == errno.EADDRINUSE
            assert isinstance(caught.value, ZmqError)
            assert isinstance(caught.value, OSError)


@pytest.mark.parametrize("host", ["127.0.0.1", "*"])
async def test_a_restarted_owner_gets_its_port_again(host):
    async with await TCP.listen(f"{host}:0", DEFAULTS) as listener:
        client, server = await meet(listener, address_of(listener))
        server.close()  # who closes first keeps the port in TIME_WAIT
        assert await client.receive_some() == b""
        client.close()
    async with await TCP.listen(f"{host}:{port_of(listener)}", DEFAULTS) as again:
        client, server = await meet(again, address_of(again))
        client.close(), server.close()


async def test_other_errors_of_binding_pass_with_the_endpoint_in_the_text():
    with pytest.raises(
        OSError, match=r"cannot bind tcp://198\.51\.100\.1:0: .*; this machine has no such address"
    ) as caught:
        await TCP.listen("198.51.100.1:0", DEFAULTS)
    assert caught.value.errno == errno.EADDRNOTAVAIL
    assert not isinstance(caught.value, ZmqError)
    trio.socket.set_custom_hostname_resolver(Names(v6=["::1"]))
    with pytest.raises(OSError, match="ipv6=False"):
        await TCP.listen("v6:0", ONLY_IPV4)


async def test_a_name_nobody_knows():
    class Nobody(Names):
        async def getaddrinfo(self, host, *rest, **more):
            if host == b"unspeakable":
                raise UnicodeError("label too long")
            if host == b"empty":
                return []
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    trio.socket.set_custom_hostname_resolver(Nobody())
    for name in ("nosuchhost", "unspeakable", "empty"):
        with pytest.raises(socket.gaierror, match=f"cannot bind tcp://{name}:0: .*no host has this name") as caught:
            await TCP.listen(f"{name}:0", DEFAULTS)
        assert caught.value.errno == socket.EAI_NONAME
        with pytest.raises(socket.gaierror, match=f"cannot connect to tcp://{name}:5: "):
            await TCP.connect(f"{name}:5", DEFAULTS)


async def test_malformed_addresses_are_refused_by_every_call():
    with pytest.raises(EndpointError):
        await TCP.listen("127.0.0.1", DEFAULTS)
    with pytest.raises(EndpointError):
        await TCP.connect("127.0.0.1:0", DEFAULTS)
    with pytest.raises(EndpointError):
        TCP.check_connect("127.0.0.1")


@pytest.mark.parametrize("address", ["127.0.0.1:0", "*:0", "localhost:0"])
async def test_binding_is_cancellable_and_leaves_nothing(address):
    with trio.CancelScope() as scope:
        scope.cancel()
        await TCP.listen(address, DEFAULTS)
    assert scope.cancelled_caught  # and the leak guard sees no socket


# --- options ---


async def test_options_are_set_on_both_sides():
    options = Options(
        send_buffer=30_000,
        receive_buffer=40_000,
        tcp_keepalive=True,
        tcp_keepalive_idle=11,
        tcp_keepalive_interval=12,
        tcp_keepalive_count=13,
    )
    plain = Options(tcp_keepalive=False, tcp_keepalive_idle=11)
    async with await TCP.listen("127.0.0.1:0", options) as listener:
        client, server = await meet(listener, address_of(listener), options)
        other, other_server = await meet(listener, address_of(listener), plain)
    for stream in (client, server, other):
        sock = socket.socket(fileno=stream.fileno())
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        keepalive = sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert bool(keepalive) == (stream is not other)
        if keepalive and hasattr(socket, "TCP_KEEPIDLE"):
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 11
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 12
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 13
        if stream is not other:
            # Linux doubles what is asked for.
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) in (30_000, 60_000)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) in (40_000, 80_000)
        sock.detach()
    for stream in (client, server, other, other_server):
        await stream.aclose()
