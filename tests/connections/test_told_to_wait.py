"""A socket whose peer has no place for it is told so, and told when it has one."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq._connections._told_to_wait import ADMITTED, WAITING
from triomq.testing import VirtualNetwork

from ..hostile.raw import GREETING, Raw, frame, raw_at, ready
from ..logs.lines import written
from .heartbeats_rig import begun
from .test_waiting_for_a_place import KINDS

settled = trio.testing.wait_all_tasks_blocked
every_kind = pytest.mark.parametrize("kind", KINDS)


def told(monitor: triomq.Monitor) -> list[str]:
    """What the socket was told so far, each event by its name, or by what it says of waiting."""
    names = []
    while True:
        try:
            event = monitor.receive_nowait()
        except trio.WouldBlock:
            return names
        if isinstance(event, triomq.KeptWaiting):
            assert event.peer is not None
            names.append("over" if event.over else "waits")
        elif not isinstance(event, (triomq.Connected, triomq.ConnectFailed)):
            names.append(type(event).__name__)


@every_kind
@pytest.mark.parametrize("options", [{}, {"heartbeat_interval": 1}])
async def test_the_second_client_is_told_that_it_waits_and_that_it_has_its_place(
    virtual_network: VirtualNetwork, kind: str, options: dict[str, Any]
) -> None:
    """Once each, however long it takes; the one that has the place is told nothing."""
    server_type, client_type, identity = KINDS[kind]
    async with virtual_network.open_context() as ctx:
        server = ctx.socket(server_type)
        endpoint = await server.bind("tcp://127.0.0.1:0")
        first, second = (ctx.socket(client_type, **identity, **options) for _ in range(2))
        monitors = [client.monitor() for client in (first, second)]
        first.connect(endpoint)
        await server.wait_peers()
        second.connect(endpoint)
        await second.send(b"as soon as it is my turn")
        await trio.sleep(100)
        assert [told(monitor) for monitor in monitors] == [["HandshakeSucceeded"], ["HandshakeSucceeded", "waits"]]
        await first.aclose()
        assert (await server.receive())[-1] == b"as soon as it is my turn"
        await settled()
        assert told(monitors[1]) == ["over"]
        await trio.sleep(100)
        assert told(monitors[1]) == []


@every_kind
async def test_a_word_that_does_not_fit_is_finished_first(virtual_network: VirtualNetwork, kind: str) -> None:
    """The connection takes a few octets at a time; it is kept, and what follows is not torn."""
    server_type, client_type, identity = KINDS[kind]
    async with virtual_network.open_context() as ctx:
        server = ctx.socket(server_type, send_buffer=10)
        first, second = (ctx.socket(client_type, receive_buffer=10, **identity) for _ in range(2))
        endpoint = await server.bind("tcp://127.0.0.1:0")
        monitor = second.monitor()
        first.connect(endpoint)
        await server.wait_peers()
        second.connect(endpoint)
        await second.send(b"1")
        await trio.sleep(100)
        await first.aclose()
        request = await server.receive()
        await server.send([*request[:-1], b"answer"])
        assert await second.receive() == (b"answer",)
        assert told(monitor) == ["HandshakeSucceeded", "waits", "over"]


@every_kind
async def test_each_connection_begins_anew(virtual_network: VirtualNetwork, kind: str) -> None:
    """A server that is restarted has a place."""
    server_type, client_type, identity = KINDS[kind]
    async with virtual_network.open_context() as ctx:
        server = ctx.socket(server_type)
        endpoint = await server.bind("tcp://127.0.0.1:0")
        first, second = (ctx.socket(client_type, **identity) for _ in range(2))
        monitor = second.monitor()
        first.connect(endpoint)
        await server.wait_peers()
        second.connect(endpoint)
        await trio.sleep(1)
        first.disconnect(endpoint)
        await server.aclose()
        await settled()
        assert told(monitor)[:2] == ["HandshakeSucceeded", "waits"]
        successor = ctx.socket(server_type)
        await successor.bind(endpoint)
        await second.wait_peers()
        await trio.sleep(1)
        assert told(monitor)[-1] == "HandshakeSucceeded"


@every_kind
@pytest.mark.parametrize("minor", [0, 1])
async def test_what_is_said_to_a_peer_that_waits(virtual_network: VirtualNetwork, kind: str, minor: int) -> None:
    """A PONG, which every peer of ZMTP 3.1 takes; nothing to one of ZMTP 3.0, which may not know it."""
    server_type, client_type, identity = KINDS[kind]
    async with virtual_network.open_context() as ctx:
        server, first = ctx.socket(server_type), ctx.socket(client_type, **identity)
        endpoint = await server.bind("tcp://127.0.0.1:0")
        first.connect(endpoint)
        await server.wait_peers()
        async with raw_at(endpoint, virtual_network, "localhost") as raw:
            greeting = GREETING[:11] + bytes((minor,)) + GREETING[12:]
            await raw.say(greeting, ready(client_type.socket_type, identity.get("routing_id")))
            assert (b"\x04PONG" + WAITING.context in await heard(raw)) is (minor == 1)
            await first.aclose()
            await server.wait_peers()
            assert (b"\x04PONG" + ADMITTED.context in await heard(raw)) is (minor == 1)
            await raw.say(frame(b"it"))
            assert (await server.receive())[-1] == b"it"


async def test_the_log_has_a_line_for_each(virtual_network: VirtualNetwork) -> None:
    """These were read by a person."""
    async with virtual_network.open_context() as ctx:
        router, first, second = ctx.socket(triomq.ROUTER), *(ctx.socket(triomq.DEALER, routing_id=b"a") for _ in "12")
        endpoint = await router.bind("tcp://127.0.0.1:0")
        first.connect(endpoint)
        await router.wait_peers()
        with written(logging.INFO) as lines:
            second.connect(endpoint)
            await trio.sleep(1)
            await first.aclose()
            await trio.sleep(1)
            said = [text.partition(": ")[2] for text in lines.texts() if "this socket" in text]
        peer = f"DEALER {endpoint}: ROUTER at localhost:49152"
        assert said == [
            f"{peer} keeps this socket waiting: another has its routing id there, or is the PAIR's peer",
            f"{peer} has a place for this socket now",
        ]


async def heard(raw: Raw) -> bytes:
    """All that has come by now."""
    octets = b""
    with trio.move_on_after(0.1):
        async for data in raw.stream:
            octets += data
    return octets


async def test_only_a_change_is_told(nursery: trio.Nursery) -> None:
    """Whatever a peer repeats, or says of other things."""
    rig = begun(nursery)
    for pong in (ADMITTED, WAITING, WAITING, ADMITTED, ADMITTED, WAITING):
        for context in (pong.context, b"", b"\0\1", b"triomq: wait", b"x" * 16):
            assert not rig.heartbeats.pong_received(context)
    assert rig.told_to_wait == [True, False, True]
