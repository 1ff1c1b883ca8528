"""What is no OSError: shortages, options that the system refuses, and a user's own transport that raises."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

import triomq
import triomq.abc
from triomq import zmtp
from triomq.testing import VirtualNetwork, VirtualStream

from ..hostile.raw import GREETING, raw_at, ready
from ..hostile.scene import until
from ..monitors import next_event

FAILURES = [
    RuntimeError("can't start new thread"),
    OverflowError("Python int too large to convert to C int"),
    ValueError("a value that the system refuses"),
    MemoryError(),
    trio.TooSlowError("of its own"),
    ExceptionGroup("several", [OSError("one"), KeyError("two")]),
]


class Own(triomq.abc.Transport):
    """A transport of the user's: over memory, in one process; what ``fails`` names raises the first three times."""

    def __init__(self, fails: str = "", error: Exception | None = None) -> None:
        self._fails = fails
        self._left = 3
        self._error = error or KeyError("a bug in there")
        self._waiting: trio.abc.SendChannel[trio.abc.Stream] | None = None

    def may_fail(self, what: str) -> None:
        if self._fails == what and self._left:
            self._left -= 1
            raise self._error

    def check_connect(self, address: str) -> None:
        pass

    async def connect(self, address: str, options: triomq.Options) -> Any:
        await trio.lowlevel.checkpoint()
        self.may_fail("connect")
        if self._fails == "connect returns" and self._left:
            self._left -= 1
            return None
        if self._waiting is None:
            raise OSError("nobody is there")
        here, there = (OwnStream(one, self) for one in trio.testing.memory_stream_pair())
        await self._waiting.send(there)
        return here

    async def listen(self, address: str, options: triomq.Options) -> triomq.abc.Listener:
        await trio.lowlevel.checkpoint()
        self.may_fail("listen")
        self._waiting, waiting = trio.open_memory_channel[trio.abc.Stream](100)
        return OwnListener(waiting, self)


class OwnListener(triomq.abc.Listener):
    def __init__(self, waiting: trio.abc.ReceiveChannel[trio.abc.Stream], own: Own) -> None:
        self._waiting = waiting
        self._own = own

    @property
    def endpoint(self) -> str:
        return "own://it"

    async def accept(self) -> trio.abc.Stream:
        self._own.may_fail("accept")
        return await self._waiting.receive()

    async def aclose(self) -> None:
        self._own._waiting = None
        self._own.may_fail("close the listener")
        await self._waiting.aclose()


class OwnStream(trio.abc.Stream):
    """A stream of the user's."""

    def __init__(self, stream: trio.abc.Stream, own: Own) -> None:
        self._stream = stream
        self._own = own

    async def send_all(self, data: Any) -> None:
        self._own.may_fail("send")
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> Any:
        self._own.may_fail("receive")
        return await self._stream.receive_some(max_bytes)

    async def aclose(self) -> None:
        self._own.may_fail("close a stream")
        await self._stream.aclose()


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
async def test_whatever_an_attempt_fails_with_is_a_failed_attempt(
    error: Exception, virtual_network: VirtualNetwork
) -> None:
    """It is told with the reason, and there is another attempt."""
    own = Own("connect", error)
    async with virtual_network.open_context(transports={"own": own}) as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        monitor = push.monitor()
        await pull.bind("own://it")
        push.connect("own://it")
        await push.send(b"it")
        for _ in range(3):
            failed = await next_event(monitor, triomq.ConnectFailed)
            assert failed.error is error
        assert await pull.receive() == (b"it",)


@pytest.mark.parametrize(
    "fails", ["connect returns", "accept", "send", "receive", "close a stream", "close the listener"]
)
async def test_a_transport_of_the_users_that_raises_ends_no_context(
    fails: str, virtual_network: VirtualNetwork
) -> None:
    """Wherever it raises; and when it has stopped raising, messages flow."""
    own = Own(fails)
    async with virtual_network.open_context(transports={"own": own}) as ctx:
        events: list[triomq.MonitorEvent] = []
        for number in range(4):
            async with ctx.socket(triomq.PULL) as pull, ctx.socket(triomq.PUSH, linger=0) as push:
                monitors = [one.monitor() for one in (pull, push)]
                await pull.bind("own://it")
                push.connect("own://it")
                await push.send(b"%d" % number)
                with trio.fail_after(60):
                    assert await pull.receive() == (b"%d" % number,)
            for monitor in monitors:
                events += [event async for event in monitor]
        told = [event for event in events if "a bug in there" in repr(getattr(event, "error", ""))]
        assert told or fails == "connect returns"
        if fails == "connect returns":
            assert "returned None" in repr(events)


@pytest.mark.parametrize("error", FAILURES[:3], ids=lambda error: type(error).__name__)
async def test_what_listening_fails_with_is_raised_by_bind(error: Exception, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context(transports={"own": Own("listen", error)}) as ctx:
        pull = ctx.socket(triomq.PULL)
        for _ in range(3):
            with pytest.raises(type(error)):
                await pull.bind("own://it")
        assert await pull.bind("own://it") == "own://it"


async def test_a_listener_that_always_raises_is_asked_now_and_then(virtual_network: VirtualNetwork) -> None:
    """It costs no more than ten attempts a second, once a hundred have failed in a row."""

    class Dead(Own):
        def may_fail(self, what: str) -> None:
            if what == "accept":
                raise ConnectionAbortedError

    async with virtual_network.open_context(transports={"own": Dead()}) as ctx:
        pull = ctx.socket(triomq.PULL)
        monitor = pull.monitor()
        await pull.bind("own://it")
        await trio.sleep(10)
        assert 150 < len(monitor._events) + monitor.dropped < 250


@pytest.mark.parametrize("state", ["in the handshake", "established", "read by a user's task", "in a message"])
async def test_no_memory_for_what_one_peer_sends_is_that_peers_end(
    state: str, monkeypatch: pytest.MonkeyPatch, virtual_network: VirtualNetwork
) -> None:
    """With the reason; the others are served."""
    receive = VirtualStream.receive_nowait

    def short(self: VirtualStream, max_bytes: int) -> bytes:
        if "evil" in self.peer and broken:
            raise MemoryError
        return receive(self, max_bytes)

    broken: list[int] = []
    monkeypatch.setattr(VirtualStream, "receive_nowait", short)
    net = virtual_network
    async with net.open_context("b") as ctx, net.open_context("a") as there, trio.open_nursery() as nursery:
        pull = ctx.socket(triomq.PULL)
        monitor = pull.monitor()
        endpoint = await pull.bind("tcp://*:5555")
        async with raw_at(endpoint, net) as raw:
            if state == "in the handshake":
                broken.append(1)
            await raw.say(GREETING, ready("PUSH"))
            if state != "in the handshake":
                await pull.wait_peers()
                if state == "read by a user's task":
                    nursery.start_soon(pull.receive)
                    await trio.testing.wait_all_tasks_blocked()
                elif state == "in a message":
                    await raw.say(b"\2" + (1 << 40).to_bytes(8, "big") + bytes(100_000))
                await trio.sleep(1)
                broken.append(1)
                await raw.say(b"\0\1x")
            await until(lambda: not pull.peers)
            kind = triomq.HandshakeFailed if state == "in the handshake" else triomq.Disconnected
            event = await next_event(monitor, kind)
            assert isinstance(event.error, MemoryError)
            assert str(event.error) == f"out of memory at what came from {raw.address}: connection closed"
        push = there.socket(triomq.PUSH)
        push.connect("tcp://b:5555")
        await push.send(b"it")
        if state != "read by a user's task":
            assert await pull.receive() == (b"it",)


@pytest.mark.parametrize("where", ["encoding", "joining"])
async def test_no_memory_for_what_is_sent_to_one_peer_is_that_connections_end(
    where: str, monkeypatch: pytest.MonkeyPatch, virtual_network: VirtualNetwork
) -> None:
    """The message is neither lost nor torn: it goes by the next connection."""
    lacking = [1, 1]
    encode, send_some = zmtp.Connection.encode, VirtualStream.send_some

    def encode_short(self: zmtp.Connection, messages: Any, out: list[bytes], ends: list[int] | None = None) -> int:
        if where == "encoding" and lacking and any(map(len, messages)):
            lacking.pop()
            raise MemoryError
        return encode(self, messages, out, ends)

    async def send_short(self: VirtualStream, buffers: Any) -> int:
        if where == "joining" and lacking:
            lacking.pop()
            raise MemoryError
        return await send_some(self, buffers)

    monkeypatch.setattr(zmtp.Connection, "encode", encode_short)
    monkeypatch.setattr(VirtualStream, "send_some", send_short)
    net = virtual_network
    async with net.open_context("b") as ctx, net.open_context("a") as there:
        pull = ctx.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        push = there.socket(triomq.PUSH, send_buffer=5000)
        monitor = push.monitor()
        push.connect("tcp://b:5555")
        await push.wait_peers()
        for message in (bytes(100_000), b"1", b"2"):
            await push.send(message)
        assert [len((await pull.receive())[0]) for _ in range(3)] == [100_000, 1, 1]
        event = await next_event(monitor, triomq.Disconnected)
        assert isinstance(event.error, MemoryError)
        assert "out of memory at what is sent to tcp://b:5555" in str(event.error)
        assert not lacking


@pytest.mark.parametrize("accepting", [False, True], ids=["connecting", "accepting"])
async def test_no_memory_for_a_new_connection_is_that_connections_end(
    accepting: bool, monkeypatch: pytest.MonkeyPatch, virtual_network: VirtualNetwork
) -> None:
    """It is closed and told; the next one is served."""
    lacking = [1, 1]
    make = zmtp.Connection.__init__

    def make_short(self: zmtp.Connection, *args: Any, as_server: bool, **rest: Any) -> None:
        if lacking and as_server == accepting:
            lacking.pop()
            raise MemoryError("no room for its protocol")
        make(self, *args, as_server=as_server, **rest)

    monkeypatch.setattr(zmtp.Connection, "__init__", make_short)
    async with virtual_network.open_context("b") as ctx, virtual_network.open_context("a") as there:
        pull, push = ctx.socket(triomq.PULL), there.socket(triomq.PUSH)
        monitor = pull.monitor() if accepting else push.monitor()
        await pull.bind("tcp://*:5555")
        push.connect("tcp://b:5555")
        await push.send(b"it")
        assert await pull.receive() == (b"it",)
        event = await next_event(monitor, triomq.AcceptFailed if accepting else triomq.ConnectFailed)
        assert isinstance(event.error, MemoryError)
        assert not lacking
        assert len(pull.peers) == len(push.peers) == 1


@pytest.mark.parametrize("accepting", [False, True], ids=["connecting", "accepting"])
async def test_a_users_protocol_that_cannot_be_made_costs_its_connection(
    accepting: bool, virtual_network: VirtualNetwork
) -> None:
    """And neither the context nor the stream."""
    raised: list[Exception] = []

    def new_protocol(host: triomq.abc.PeerHost, as_server: bool) -> zmtp.WireProtocol:
        if as_server == accepting and len(raised) < 3:
            raised.append(KeyError("a bug in there"))
            raise raised[-1]
        return zmtp.Connection(host.socket_type, as_server=as_server)

    transports = {"own": triomq.abc.StreamCarrier("tcp", new_protocol)}
    async with virtual_network.open_context(transports=transports) as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        monitor = pull.monitor() if accepting else push.monitor()
        push.connect(await pull.bind("own://*:5555"))
        await push.send(b"it")
        assert await pull.receive() == (b"it",)
        for error in raised:
            event = await next_event(monitor, triomq.AcceptFailed if accepting else triomq.ConnectFailed)
            assert event.error is error
        assert len(raised) == 3
