"""Attacks on sockets with a mechanism: nobody gets a byte through, and nobody disturbs another peer."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import trio

import triomq
from triomq import Curve, Plain
from triomq.testing import VirtualNetwork

from ..virtual import listen
from ..zmtp.curve_peer import GREETING as CURVE_GREETING
from ..zmtp.curve_peer import Client, Server, command, key_pair, message
from .raw import GREETING, Raw, raw_at, ready
from .scene import measured, until

SERVER, CLIENT = key_pair(1), key_pair(2)
PLAIN_GREETING = GREETING.replace(b"NULL\0", b"PLAIN")
HELLO = command(b"HELLO", b"\5admin\6secret")
CURVE_HELLO = Client(SERVER.public_key).hello()
SERVING: dict[str, Any] = {
    "PLAIN": Plain.server({"admin": "secret"}),
    "CURVE": Curve.server(SERVER, clients=[CLIENT.public_key]),
}
CLIENTS: dict[str, Any] = {"PLAIN": Plain("admin", "secret"), "CURVE": Curve(SERVER.public_key, CLIENT)}
GREETINGS = {"PLAIN": PLAIN_GREETING, "CURVE": CURVE_GREETING}


class Secured:
    """A socket with a mechanism, and an honest peer of it that keeps being served."""

    def __init__(self, net: VirtualNetwork, victim: triomq.ROUTER, endpoint: str, honest: triomq.DEALER) -> None:
        self.victim = victim
        self.endpoint = endpoint
        self.monitor = victim.monitor(100_000)
        self._net = net
        self._honest = honest
        self._count = 0

    @asynccontextmanager
    async def attacker(self) -> AsyncIterator[Raw]:
        async with raw_at(self.endpoint.replace("0.0.0.0", "victim"), self._net) as raw:
            yield raw

    async def serve(self) -> None:
        """The honest peer is served, and whatever comes is its own."""
        self._count += 1
        with trio.fail_after(1):
            await self._honest.send(b"%d" % self._count)
            assert await self.victim.receive() == (b"honest", b"%d" % self._count)
            await self.victim.send([b"honest", b"back"])
            assert await self._honest.receive() == (b"back",)
        with pytest.raises(trio.WouldBlock):
            self.victim.receive_nowait()
        assert [peer.routing_id for peer in self.victim.peers] == [b"honest"]

    def errors(self) -> list[Exception]:
        found = []
        while True:
            try:
                event = self.monitor.receive_nowait()
            except trio.WouldBlock:
                return found
            if isinstance(event, triomq.HandshakeFailed):
                found.append(event.error)


@asynccontextmanager
async def secured(net: VirtualNetwork, name: str, **options: Any) -> AsyncIterator[Secured]:
    async with net.open_context("victim") as here, net.open_context("honest") as there:
        victim = here.socket(triomq.ROUTER, mechanism=SERVING[name], **options)
        endpoint = await victim.bind("tcp://*:5555")
        honest = there.socket(triomq.DEALER, mechanism=CLIENTS[name], routing_id=b"honest", connect="tcp://victim:5555")
        scene = Secured(net, victim, endpoint, honest)
        await scene.serve()
        yield scene
        await scene.serve()


@pytest.mark.parametrize("name", ["PLAIN", "CURVE"])
@pytest.mark.parametrize(
    "octets",
    [
        GREETING + ready("DEALER") + message(b"let me in"),
        PLAIN_GREETING + HELLO + ready("DEALER") + message(b"let me in"),
        CURVE_GREETING + ready("DEALER") + message(b"let me in"),
        PLAIN_GREETING + command(b"INITIATE", b"") + message(b"let me in"),
        CURVE_GREETING + CURVE_HELLO + message(b"let me in"),
        GREETING[:10] + b"\2" + bytes(53),
        b"\1\0" + message(b"let me in"),
    ],
    ids=["null", "plain-ready", "curve-ready", "no-hello", "no-initiate", "zmtp-2", "zmtp-1"],
)
async def test_there_is_no_way_around(virtual_network: VirtualNetwork, name: str, octets: bytes) -> None:
    """Neither by an older protocol or another mechanism, nor by leaving something out: the connection ends."""
    async with secured(virtual_network, name) as scene, scene.attacker() as raw:
        await raw.say(octets)
        heard = await raw.hear_end()
        assert b"READY" not in heard
        assert b"ROUTER" not in heard
        await scene.serve()
        (error,) = scene.errors()
        assert isinstance(error, triomq.RemoteProtocolError)


@pytest.mark.parametrize("name", ["PLAIN", "CURVE"])
@pytest.mark.parametrize("theirs", [GREETING, PLAIN_GREETING, CURVE_GREETING, GREETING[:10] + b"\1" + bytes(53)])
async def test_a_server_that_wants_less_learns_nothing(
    virtual_network: VirtualNetwork, name: str, theirs: bytes
) -> None:
    """Neither the name and the password, nor a message, nor the type of the socket."""
    if theirs == GREETINGS[name]:
        return
    heard = b""
    async with virtual_network.open_context() as ctx, await listen(virtual_network, "evil", 5555) as listener:
        push = ctx.socket(triomq.PUSH, mechanism=CLIENTS[name], linger=0)
        push.connect("tcp://evil:5555")
        await push.send(b"a message")
        stream = await listener.accept()
        await stream.send_all(theirs)
        await stream.send_all(ready("PULL") + command(b"WELCOME", b""))
        try:
            async for data in stream:
                heard += data
        except trio.BrokenResourceError:
            pass  # it closed with something unread
        stream.close()
        await push.aclose()
    for secret in (b"admin", b"secret", b"a message", b"PUSH", b"READY"):
        assert secret not in heard


STOPS = {
    "PLAIN": [b"", PLAIN_GREETING[:11], PLAIN_GREETING, PLAIN_GREETING + HELLO[:9], PLAIN_GREETING + HELLO],
    "CURVE": [CURVE_GREETING, CURVE_GREETING + CURVE_HELLO[:70], CURVE_GREETING + CURVE_HELLO],
}


@pytest.mark.parametrize(("name", "octets"), [(name, octets) for name, some in STOPS.items() for octets in some])
async def test_who_stops_in_the_handshake_has_its_time_and_no_more(
    virtual_network: VirtualNetwork, name: str, octets: bytes
) -> None:
    async with secured(virtual_network, name, handshake_timeout=8) as scene, scene.attacker() as raw:
        began = trio.current_time()
        await raw.say(octets)
        await raw.hear_end_at_last()
        assert trio.current_time() - began == pytest.approx(8, abs=0.5)
        (error,) = scene.errors()
        assert isinstance(error, trio.TooSlowError)


@pytest.mark.parametrize("name", ["PLAIN", "CURVE"])
@pytest.mark.parametrize("goes_on", [0, 1])
async def test_a_server_that_stops_in_the_handshake_has_its_time_and_no_more(
    virtual_network: VirtualNetwork, name: str, goes_on: int
) -> None:
    async with virtual_network.open_context() as ctx, await listen(virtual_network, "evil", 5555) as listener:
        push = ctx.socket(triomq.PUSH, mechanism=CLIENTS[name], handshake_timeout=8, linger=0)
        push.connect("tcp://evil:5555")
        stream = await listener.accept()
        began = trio.current_time()
        await stream.send_all(GREETINGS[name])
        if goes_on:
            said = b""
            while len(said) < 64 + (202 if name == "CURVE" else len(HELLO)):
                said += await stream.receive_some()
            server = Server(SERVER)
            if name == "CURVE":
                server.take_hello(said[64:])
            await stream.send_all(server.welcome() if name == "CURVE" else command(b"WELCOME", b""))
        async for _ in stream:
            pass
        assert trio.current_time() - began == pytest.approx(8, abs=0.5)
        stream.close()
        await push.aclose()


async def test_a_recorded_connection_opens_no_other(virtual_network: VirtualNetwork) -> None:
    """Every octet that an honest client said, said again: the cookie in it is of a connection that is over."""
    async with secured(virtual_network, "CURVE") as scene:
        client = Client(SERVER.public_key, CLIENT)
        async with scene.attacker() as raw:
            await raw.say(CURVE_GREETING, client.hello())
            await raw.hear(64)
            client.take_welcome(await _frame(raw))
            said = client.initiate()
            await raw.say(said)
            client.take_ready(await _frame(raw))
            await until(lambda: len(scene.victim.peers) == 2)
            recorded = CURVE_GREETING + client.hello() + said + client.message(3, b"pay me")
            await raw.say(client.message(3, b"pay me"))
            assert (await scene.victim.receive())[1:] == (b"pay me",)
        await until(lambda: len(scene.victim.peers) == 1)
        async with scene.attacker() as raw:
            await raw.say(recorded)
            await raw.hear_end()
        (error,) = scene.errors()
        assert "cookie" in str(error)


async def _frame(raw: Raw) -> bytes:
    body = await raw.hear_frame()
    return command(body[1 : 1 + body[0]], body[1 + body[0] :])


many = pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.soak)])


@many
async def test_a_newcomer_is_served_among_handshakes_begun_and_abandoned(
    virtual_network: VirtualNetwork, count: int
) -> None:
    """Within a second, while whoever makes way for it comes again at once."""
    hello = CURVE_GREETING + CURVE_HELLO
    came = 0

    async def abandon() -> None:
        nonlocal came
        while came < count:
            async with scene.attacker() as raw:
                await raw.say(hello)
                came += 1
                await raw.hear_end_at_last()

    async with secured(virtual_network, "CURVE", max_handshakes=40) as scene, trio.open_nursery() as nursery:
        for _ in range(80):
            nursery.start_soon(abandon)
        for number in range(5):
            while came <= number * count / 5:  # noqa: ASYNC110  # no event tells of it
                await trio.sleep(0.001)
            await _newcomer_is_served(virtual_network, scene)
        nursery.cancel_scope.cancel(reason="the test is over")


@many
async def test_handshakes_begun_and_abandoned_cost_no_memory(count: int) -> None:
    hello = CURVE_GREETING + CURVE_HELLO
    attackers: deque[socket.socket] = deque()
    async with triomq.open_context() as ctx:
        pull = ctx.socket(triomq.PULL, mechanism=SERVING["CURVE"], max_handshakes=50)
        push = ctx.socket(triomq.PUSH, mechanism=CLIENTS["CURVE"])
        endpoint = await pull.bind("tcp://127.0.0.1:0")
        push.connect(endpoint)
        await push.wait_peers()
        with measured() as memory:
            for _ in range(count):
                attackers.append(socket.create_connection(("127.0.0.1", int(endpoint.rpartition(":")[2]))))
                with suppress(ConnectionError):  # it had to make way
                    attackers[-1].sendall(hello)
                if len(attackers) > 60:
                    attackers.popleft().close()
                for _ in range(3):
                    await trio.lowlevel.checkpoint()
            assert memory.peak() <= 50 * 64 * 1024
        for attacker in attackers:
            attacker.close()
        await push.send(b"still here")
        assert await pull.receive() == (b"still here",)
        assert len(pull.peers) == 1
        await push.aclose()


async def _newcomer_is_served(net: VirtualNetwork, scene: Secured) -> None:
    async with net.open_context("newcomer") as ctx:
        late = ctx.socket(triomq.DEALER, mechanism=CLIENTS["CURVE"], routing_id=b"late", connect="tcp://victim:5555")
        with trio.fail_after(1):
            await late.send(b"let me in")
            assert await scene.victim.receive() == (b"late", b"let me in")
            await scene.victim.send([b"late", b"welcome"])
            assert await late.receive() == (b"welcome",)
        await late.aclose()
    await until(lambda: len(scene.victim.peers) == 1)
