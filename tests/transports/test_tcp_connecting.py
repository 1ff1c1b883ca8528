"""tcp with real sockets on this machine: connecting."""

from __future__ import annotations

import errno
import re
import socket

import pytest
import trio
import trio.testing

from .loopback import DEFAULTS, LOOPBACK, ONLY_IPV4, TCP, Names, address_of, meet, needs_ipv6, port_of


@pytest.mark.parametrize("source", ["127.0.0.1:0", "127.0.0.1:*", "127.0.0.1", f"{LOOPBACK}:0", LOOPBACK, "127.0.0.2"])
async def test_a_source_address(source):
    if source == "127.0.0.2" and not _can_bind("127.0.0.2"):
        pytest.skip("this system has only one loopback address")
    async with await TCP.listen("127.0.0.1:0", DEFAULTS) as listener:
        client, server = await meet(listener, f"{source};{address_of(listener)}")
        expected = source.partition(":")[0].replace(LOOPBACK, "127.0.0.1")
        assert server.peer.startswith(f"tcp://{expected}:")
        client.close(), server.close()


def _can_bind(host: str) -> bool:
    with socket.socket() as sock:
        try:
            sock.bind((host, 0))
        except OSError:
            return False
    return True


async def test_a_source_port_is_used_and_can_be_used_again():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    async with await TCP.listen("127.0.0.1:0", DEFAULTS) as listener:
        for _ in range(2):
            client, server = await meet(listener, f"127.0.0.1:{port};{address_of(listener)}")
            assert server.peer == f"tcp://127.0.0.1:{port}"
            client.close()
            assert await server.receive_some() == b""
            server.close()


async def test_a_source_of_the_other_ip_version():
    with pytest.raises(OSError, match=r"'::1' has no address of the IP version of '127\.0\.0\.1'") as caught:
        await TCP.connect("[::1]:0;127.0.0.1:5", DEFAULTS)
    assert caught.value.errno == errno.EAFNOSUPPORT


async def test_nobody_there_is_an_os_error_with_the_endpoint_in_its_text():
    async with await TCP.listen("127.0.0.1:0", DEFAULTS) as listener:
        pass
    with pytest.raises(ConnectionRefusedError, match=re.escape(f"cannot connect to {listener.endpoint}: ")) as caught:
        await TCP.connect(address_of(listener), DEFAULTS)
    assert caught.value.errno == errno.ECONNREFUSED


async def test_an_ipv6_address_without_the_option():
    with pytest.raises(OSError, match="ipv6=False") as caught:
        await TCP.connect("[::1]:5", ONLY_IPV4)
    assert caught.value.errno == errno.EAFNOSUPPORT


async def test_a_connection_to_oneself_is_refused():
    """With the source given it happens at every attempt; by chance, once in 28,000."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    address = f"127.0.0.1:{port}"
    with socket.socket() as proof:
        proof.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        proof.bind(("127.0.0.1", port))
        proof.connect(("127.0.0.1", port))  # the system does do that
        proof.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    with pytest.raises(ConnectionRefusedError, match="connected to itself"):
        await TCP.connect(f"{address};{address}", DEFAULTS)


async def test_a_cancelled_connect_leaves_nothing():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        host, port = server.getsockname()
        fillers = []
        try:
            for _ in range(8):  # then the queue is full, and connecting waits
                filler = socket.socket()
                fillers.append(filler)
                filler.setblocking(False)
                filler.connect_ex((host, port))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(TCP.connect, f"{host}:{port}", DEFAULTS)
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
        finally:
            for filler in fillers:
                filler.close()


async def test_numbers_need_no_resolver():
    names = Names()
    trio.socket.set_custom_hostname_resolver(names)
    async with await TCP.listen("127.0.0.1:0", DEFAULTS) as listener:
        client, server = await meet(listener, address_of(listener))
        client.close(), server.close()
    assert names.asked == []


async def test_a_name_is_resolved_at_every_attempt():
    names = Names(moving=["127.0.0.2"])
    trio.socket.set_custom_hostname_resolver(names)
    async with await TCP.listen("127.0.0.1:0", DEFAULTS) as listener:
        with pytest.raises(OSError, match="cannot connect to tcp://moving:"):
            await TCP.connect(f"moving:{port_of(listener)}", DEFAULTS)
        names.names["moving"] = ["127.0.0.1"]
        client, server = await meet(listener, f"moving:{port_of(listener)}")
        client.close(), server.close()
    assert names.asked == ["moving", "moving"]


@needs_ipv6
async def test_all_addresses_of_a_name_are_tried():
    trio.socket.set_custom_hostname_resolver(Names(both=["::1", "127.0.0.1"]))
    async with await TCP.listen("127.0.0.1:0", DEFAULTS) as listener:
        client, server = await meet(listener, f"both:{port_of(listener)}")
        assert client.peer == listener.endpoint
        client.close(), server.close()
    with pytest.raises(ConnectionRefusedError, match=r"tcp://both:.*tcp://\[::1\]:.*tcp://127\.0\.0\.1:") as caught:
        await TCP.connect(f"both:{port_of(listener)}", DEFAULTS)
    assert caught.value.errno == errno.ECONNREFUSED
