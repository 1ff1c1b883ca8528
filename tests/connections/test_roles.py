"""Which side is the server of a handshake: the one that accepted, whatever the socket does beside that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
import trio

import triomq
from triomq.abc import PeerHost, StreamCarrier
from triomq.testing import VirtualNetwork
from triomq.zmtp import Connection, Null

from ..virtual import dial, listen

AS_SERVER = 32  # where the greeting tells the role (RFC 37 §2.2)


class Roles(Null):
    """As NULL, and it has a server and a client."""

    name = "ROLES"
    has_roles = True

    def __init__(self, told: list[bool]) -> None:
        super().__init__()
        self.told = told

    def start(self, metadata: Mapping[str, bytes], as_server: bool) -> None:
        self.told.append(as_server)
        super().start(metadata, as_server)


class Record:
    """Makes the protocols of one context's connections, and remembers what they were made with."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []
        self.told: list[bool] = []
        self.carriers = {"roles": StreamCarrier("tcp", self.new_protocol)}

    def new_protocol(self, host: PeerHost, as_server: bool) -> Connection:
        self.asked.append((host.socket_type, as_server))
        return Connection(host.socket_type, as_server=as_server, mechanism=Roles(self.told))


@pytest.fixture
def records() -> Iterator[tuple[Record, Record]]:
    return Record(), Record()


each_option = pytest.mark.parametrize("immediate", [True, False])


@each_option
@pytest.mark.parametrize("pair", [(triomq.PUSH, triomq.PULL), (triomq.PULL, triomq.PUSH), (triomq.PAIR, triomq.PAIR)])
async def test_the_side_that_accepted_is_the_server(virtual_network: VirtualNetwork, records, pair, immediate) -> None:
    ours, theirs = records
    async with (
        virtual_network.open_context("a", transports=ours.carriers) as a,
        virtual_network.open_context("b", transports=theirs.carriers) as b,
    ):
        connecting, binding = a.socket(pair[0], immediate=immediate), b.socket(pair[1], immediate=immediate)
        connecting.connect(await binding.bind("roles://*:5555"))
        await connecting.wait_peers()
        virtual_network.cut("a", "b")
        await trio.sleep(5)
        assert connecting.peers  # again, by another connection
    assert ours.asked == [(pair[0].socket_type, False)] * 2
    assert theirs.asked == [(pair[1].socket_type, True)] * 2
    assert ours.told == [False, False]
    assert theirs.told == [True, True]


@each_option
async def test_the_greeting_of_who_connects_says_client(virtual_network: VirtualNetwork, records, immediate) -> None:
    record, _ = records
    listener = await listen(virtual_network, "b", 5555)
    async with virtual_network.open_context("a", transports=record.carriers) as ctx:
        ctx.socket(triomq.PUSH, immediate=immediate).connect("roles://b:5555")
        stream = await listener.accept()
        assert await greeting(stream) == b"\0"
        await stream.aclose()
    await listener.aclose()


@each_option
async def test_the_greeting_of_who_accepts_says_server(virtual_network: VirtualNetwork, records, immediate) -> None:
    record, _ = records
    async with virtual_network.open_context("b", transports=record.carriers) as ctx:
        await ctx.socket(triomq.PULL, immediate=immediate).bind("roles://*:5555")
        stream = await dial(virtual_network, "tcp://b:5555", "c")
        assert await greeting(stream) == b"\1"
        await stream.aclose()


@each_option
async def test_a_socket_that_does_both_has_both_roles(virtual_network: VirtualNetwork, records, immediate) -> None:
    ours, theirs = records
    async with (
        virtual_network.open_context("a", transports=ours.carriers) as a,
        virtual_network.open_context("b", transports=theirs.carriers) as b,
    ):
        one, other = (ctx.socket(triomq.DEALER, immediate=immediate) for ctx in (a, b))
        one.connect(await other.bind("roles://*:5555"))
        other.connect(await one.bind("roles://*:5556"))
        await one.wait_peers(2)
        await other.wait_peers(2)
    assert sorted(ours.asked) == sorted(theirs.asked) == [("DEALER", False), ("DEALER", True)]


async def greeting(stream: trio.abc.ReceiveStream) -> bytes:
    """The octet that tells the role."""
    heard = b""
    while len(heard) < 64:
        heard += await stream.receive_some()
    assert heard[12:32].rstrip(b"\0") == b"ROLES"
    return heard[AS_SERVER : AS_SERVER + 1]
