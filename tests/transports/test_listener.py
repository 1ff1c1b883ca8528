"""Accepting: the same for tcp and ipc."""

from __future__ import annotations

import errno
import os
import socket

import pytest
import trio
import trio.testing

from triomq._options import Options
from triomq._transports import IpcTransport, SocketListener, TcpTransport
from triomq._transports._listener import explain
from triomq.abc import Transport

DEFAULTS = Options()
KINDS = [(TcpTransport(), "127.0.0.1:0")]
if hasattr(socket, "AF_UNIX"):
    KINDS.append((IpcTransport(), "*"))
both_kinds = pytest.mark.parametrize(("transport", "address"), KINDS, ids=["tcp", "ipc"][: len(KINDS)])


async def connect(transport: Transport, listener: SocketListener):
    return await transport.connect(listener.endpoint.partition("://")[2], DEFAULTS)


@both_kinds
async def test_one_peer_for_each_accept(transport, address):
    async with await transport.listen(address, DEFAULTS) as listener:
        clients = [await connect(transport, listener) for _ in range(3)]
        servers = [await listener.accept() for _ in clients]
        for number, client in enumerate(clients):
            await client.send_all(b"%d" % number)
        assert sorted([await server.receive_some() for server in servers]) == [b"0", b"1", b"2"]
    # Closing the listener leaves the streams alone.
    await servers[0].send_all(b"still here")
    assert await clients[0].receive_some() == b"still here"
    for stream in (*clients, *servers):
        stream.close()


@both_kinds
async def test_accept_waits(transport, address):
    async with await transport.listen(address, DEFAULTS) as listener:
        accepted = []
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def accept() -> None:
                accepted.append(await listener.accept())

            await trio.testing.wait_all_tasks_blocked()
            assert accepted == []
            client = await connect(transport, listener)
        (server,) = accepted
        client.close(), server.close()


@both_kinds
async def test_a_cancelled_accept_loses_no_peer(transport, address):
    async with await transport.listen(address, DEFAULTS) as listener:
        client = await connect(transport, listener)
        with trio.CancelScope() as scope:
            scope.cancel()
            await listener.accept()
        assert scope.cancelled_caught
        with trio.testing.assert_checkpoints():
            server = await listener.accept()
        client.close(), server.close()


@both_kinds
async def test_two_who_accept_are_one_too_many(transport, address):
    async with await transport.listen(address, DEFAULTS) as listener, trio.open_nursery() as nursery:
        nursery.start_soon(listener.accept)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await listener.accept()
        nursery.cancel_scope.cancel()


@both_kinds
async def test_closing_wakes_who_accepts(transport, address):
    listener = await transport.listen(address, DEFAULTS)
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def accept() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await listener.accept()

        await trio.testing.wait_all_tasks_blocked()
        await listener.aclose()


@both_kinds
async def test_a_closed_listener(transport, address):
    listener = await transport.listen(address, DEFAULTS)
    endpoint = listener.endpoint
    assert listener.fileno() >= 0
    assert repr(listener) == f"<SocketListener {endpoint}>"
    for _ in range(2):
        with trio.testing.assert_checkpoints():
            await listener.aclose()
    listener.close()
    assert listener.endpoint == endpoint
    assert listener.fileno() == -1
    assert "closed" in repr(listener)
    with pytest.raises(trio.ClosedResourceError, match=endpoint.replace("*", r"\*")):
        await listener.accept()
    with pytest.raises(OSError, match="cannot connect"):
        await connect(transport, listener)


@both_kinds
async def test_a_cancelled_close_closes(transport, address):
    listener = await transport.listen(address, DEFAULTS)
    with trio.CancelScope() as scope:
        scope.cancel()
        await listener.aclose()
    assert scope.cancelled_caught
    assert listener.fileno() == -1


@both_kinds
async def test_no_file_descriptors_left_is_an_os_error_and_passes(transport, address):
    resource = pytest.importorskip("resource")
    async with await transport.listen(address, DEFAULTS) as listener:
        client = await connect(transport, listener)
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (client.fileno() + 20, before[1]))
        fillers: list[int] = []
        try:
            with pytest.raises(OSError):
                while True:
                    fillers.append(os.dup(client.fileno()))
            for _ in range(2):
                with pytest.raises(OSError, match="cannot accept a connection on") as caught:
                    await listener.accept()
                assert caught.value.errno == errno.EMFILE
                assert listener.endpoint in str(caught.value)
            with pytest.raises(OSError) as caught:
                await connect(transport, listener)
            assert caught.value.errno == errno.EMFILE
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
            for filler in fillers:
                os.close(filler)
        server = await listener.accept()  # the peer is still there
        client.close(), server.close()


async def test_a_peer_that_fails_while_it_is_accepted_is_closed():
    def prepare(sock: socket.socket, address: object) -> str:
        raise failures.pop()

    failures = [ZeroDivisionError(), OSError(errno.EINVAL, "Invalid argument")]
    sock = socket.create_server(("127.0.0.1", 0))
    async with SocketListener(sock, "tcp://here", prepare) as listener:
        with socket.create_connection(sock.getsockname()), socket.create_connection(sock.getsockname()):
            with pytest.raises(OSError, match="a peer left tcp://here") as caught:
                await listener.accept()
            assert caught.value.errno == errno.EINVAL
            with pytest.raises(ZeroDivisionError):
                await listener.accept()


async def test_a_release_that_fails_still_closes():
    def release() -> None:
        raise ZeroDivisionError

    listener = SocketListener(socket.create_server(("127.0.0.1", 0)), "tcp://here", lambda *_: "", release)
    with pytest.raises(ZeroDivisionError):
        listener.close()
    assert listener.fileno() == -1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ECONNREFUSED, "Connection refused"), ConnectionRefusedError),
        (socket.gaierror(socket.EAI_NONAME, "no such name"), socket.gaierror),
        (OSError("only text"), OSError),
    ],
)
def test_an_explained_error_keeps_its_kind_and_number(error, kind):
    explained = explain(error, "tried")
    assert type(explained) is kind
    assert explained.errno == error.errno
    assert str(error.strerror or error) in str(explained)
    assert "tried: " in str(explained)
