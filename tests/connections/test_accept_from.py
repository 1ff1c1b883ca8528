"""Where accepted peers may come from: the others are closed out before a byte is written, and take nobody's place."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import trio

import triomq
from triomq import Curve, DeniedError, HandshakeFailed
from triomq.testing import VirtualNetwork

from ..zmtp.curve_peer import key_pair


async def all_that_is_said(endpoint: str) -> bytes:
    """What a bound socket says to a peer that greets it, until it hangs up."""
    scheme, _, address = endpoint.partition("://")
    if scheme == "ipc":
        stream: trio.SocketStream = await trio.open_unix_socket(address)
    else:
        stream = await trio.open_tcp_stream(address.partition(":")[0], int(address.partition(":")[2]))
    said = b""
    async with stream:
        with trio.fail_after(10):
            try:
                while data := await stream.receive_some():
                    said += data
            except trio.BrokenResourceError:
                pass  # it hung up while this side said nothing
    return said


@pytest.mark.parametrize("mechanism", [None, Curve.server(key_pair(1))], ids=["NULL", "CURVE"])
@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:*", "ipc://*"])
async def test_who_comes_from_elsewhere_hears_nothing(endpoint: str, mechanism: triomq.Security | None) -> None:
    places = ["192.0.2.0/24", f"uid:{os.getuid() + 1}"]
    async with triomq.open_context() as ctx:
        pull = ctx.socket(triomq.PULL, accept_from=places, mechanism=mechanism)
        assert pull.options.accept_from == tuple(places)
        monitor = pull.monitor()
        bound = await pull.bind(endpoint)
        assert await all_that_is_said(bound) == b""
        with trio.fail_after(10):
            while not isinstance(event := await monitor.receive(), HandshakeFailed):
                pass
        assert isinstance(event.error, DeniedError)
        assert "accept_from" in str(event.error)
        assert event.address.startswith(endpoint[:6])


@pytest.mark.parametrize(
    ("endpoint", "place"),
    [
        ("tcp://127.0.0.1:*", "127.0.0.0/8"),
        ("tcp://127.0.0.1:*", "127.0.0.1"),
        ("ipc://*", f"uid:{os.getuid()}"),
        ("ipc://*", f"gid:{os.getgid()}"),
    ],
)
async def test_who_comes_from_there_is_served(endpoint: str, place: str) -> None:
    async with triomq.open_context() as ctx:
        pull, push = ctx.socket(triomq.PULL, accept_from=(place,)), ctx.socket(triomq.PUSH)
        push.connect(await pull.bind(endpoint))
        with trio.fail_after(10):
            await push.send(b"hello")
            assert await pull.receive() == (b"hello",)


async def test_nobody_has_to_make_way_for_who_is_closed_out(virtual_network: VirtualNetwork) -> None:
    """On the virtual network nobody has an IP address."""
    async with virtual_network.open_context("here") as here, virtual_network.open_context("there") as there:
        pull = here.socket(triomq.PULL, max_peers=1, accept_from=["192.0.2.7"])
        await pull.bind("tcp://*:5555")
        monitor = pull.monitor()
        async with there.socket(triomq.PUSH, connect="tcp://here:5555", linger=0) as push:
            await trio.sleep(10)
            assert not push.peers
        events = [await monitor.receive() for _ in range(2)]
        assert [type(event) for event in events] == [HandshakeFailed, HandshakeFailed]
        assert pull.statistics().messages_received == 0


async def test_a_list_holds_for_who_is_accepted_alone(virtual_network: VirtualNetwork) -> None:
    """A socket that connects has chosen its peer itself, and inproc stays in the program."""
    async with virtual_network.open_context("here") as here, virtual_network.open_context("there") as there:
        pull = here.socket(triomq.PULL, accept_from=["192.0.2.7"])
        one, other = there.socket(triomq.PUSH), here.socket(triomq.PUSH)
        await one.bind("tcp://*:5555")
        pull.connect("tcp://there:5555")
        await pull.bind("inproc://here")
        other.connect("inproc://here")
        for push in (one, other):
            await push.send(b"hello")
            assert await pull.receive() == (b"hello",)


# --- processes ---------------------------------------------------------------------------------

OWN = triomq.PeerProcess(os.getpid(), os.getuid(), os.getgid())


@pytest.mark.parametrize("name", ["ipc://{}/it", "ipc://@triomq-{}"])
@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="the kernel tells no processes")
async def test_both_sides_of_ipc_know_the_process(tmp_path: Path, name: str) -> None:
    asked = []

    async def authenticator(request: triomq.AuthenticationRequest) -> triomq.Accept:
        asked.append(request.process)
        return triomq.Accept()

    async with triomq.open_context() as ctx:
        ctx.authenticator(authenticator)
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        monitor = pull.monitor()
        push.connect(await pull.bind(name.format(tmp_path)))
        with trio.fail_after(10):
            await push.send(b"hello")
            await pull.receive()
        assert [pull.peers[0].process, push.peers[0].process, *asked] == [OWN] * 3
        await push.aclose()
        with trio.fail_after(10):
            while not isinstance(event := await monitor.receive(), triomq.Disconnected):
                pass
        assert event.peer is not None
        assert event.peer.process == OWN


async def test_other_transports() -> None:
    async with triomq.open_context() as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        push.connect(bound := await pull.bind("tcp://127.0.0.1:*"))
        with trio.fail_after(10):
            await pull.wait_peers()
        assert pull.peers[0].process is None
        push.disconnect(bound)
        await pull.bind("inproc://here")
        push.connect("inproc://here")
        assert push.peers[0].process == OWN
        assert [peer.process for peer in pull.peers if peer.endpoint.startswith("inproc")] == [OWN]
