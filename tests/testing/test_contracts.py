"""The contract kit passes what is right, and names what is wrong."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

import triomq
from triomq._transports import IpcTransport, TcpTransport
from triomq.testing import (
    VirtualNetwork,
    check_mechanism,
    check_receive_channel,
    check_send_channel,
    check_transport,
)
from triomq.testing._network import VirtualIpc, VirtualTcp
from triomq.zmtp import Null

from ..zmtp.test_mechanism import Scramble

TYPES = [
    (triomq.PUSH, triomq.PULL),
    (triomq.PAIR, triomq.PAIR),
    (triomq.DEALER, triomq.DEALER),
]


@pytest.mark.parametrize(("sends", "receives"), TYPES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("scheme", ["tcp", "inproc"])
async def test_sockets_are_channels(virtual_network: VirtualNetwork, sends, receives, scheme: str) -> None:
    virtual_network.link("a", "b", send_buffer=500, receive_buffer=500)

    @asynccontextmanager
    async def make() -> AsyncIterator[tuple[triomq.Socket, triomq.Socket]]:
        async with virtual_network.open_context("a") as ctx, virtual_network.open_context("b") as other:
            there = ctx if scheme == "inproc" else other
            receiver = there.socket(receives, hwm=5)
            endpoint = await receiver.bind("tcp://*:5555" if scheme == "tcp" else "inproc://channel")
            sender = ctx.socket(sends, hwm=5, linger=0)
            sender.connect(endpoint)
            await sender.wait_peers()
            yield sender, receiver

    await check_send_channel(make)
    await check_receive_channel(make)


@asynccontextmanager
async def memory_channel() -> AsyncIterator[tuple[trio.MemorySendChannel[int], trio.MemoryReceiveChannel[int]]]:
    sender, receiver = trio.open_memory_channel[int](3)
    with sender, receiver:
        yield sender, receiver


async def test_trios_own_channel_is_one(autojump_clock: trio.testing.MockClock) -> None:
    await check_send_channel(memory_channel, message=int)
    await check_receive_channel(memory_channel, message=int)


class Unready(trio.abc.SendChannel[int]):
    """Sends before it looks whether it is cancelled."""

    def __init__(self, inner: trio.MemorySendChannel[int]) -> None:
        self.inner = inner

    async def send(self, value: int) -> None:
        self.inner.send_nowait(value)
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        await self.inner.aclose()


class Forgetful(trio.abc.ReceiveChannel[int]):
    """Takes a message and then waits once more: a cancellation there loses it."""

    def __init__(self, inner: trio.MemoryReceiveChannel[int]) -> None:
        self.inner = inner

    async def receive(self) -> int:
        value = await self.inner.receive()
        await trio.lowlevel.checkpoint()
        return value

    async def aclose(self) -> None:
        await self.inner.aclose()


class Backwards(trio.abc.ReceiveChannel[int]):
    """Gives the newest message first."""

    def __init__(self, inner: trio.MemoryReceiveChannel[int]) -> None:
        self.inner = inner
        self.taken: deque[int] = deque()

    async def receive(self) -> int:
        self.taken.append(await self.inner.receive())
        while len(self.taken) < 2 and self.inner.statistics().current_buffer_used:
            self.taken.append(self.inner.receive_nowait())
        return self.taken.pop()

    async def aclose(self) -> None:
        await self.inner.aclose()


@pytest.mark.parametrize(
    ("check", "send", "receive", "text"),
    [
        (check_send_channel, Unready, None, "cancelled send was not accepted"),
        (check_receive_channel, None, Forgetful, "lost a message"),
        (check_send_channel, None, Backwards, "in the order they were sent"),
    ],
    ids=["unready", "forgetful", "backwards"],
)
async def test_a_broken_channel_is_found(autojump_clock, check, send, receive, text: str) -> None:
    @asynccontextmanager
    async def make():
        sender, receiver = trio.open_memory_channel[int](200)
        with sender, receiver:
            yield (send(sender) if send else sender), (receive(receiver) if receive else receiver)

    with pytest.raises(AssertionError, match=text):
        await check(make, message=int)


async def test_real_tcp_is_a_transport() -> None:
    await check_transport(TcpTransport(), "127.0.0.1:0", malformed=["127.0.0.1", "*:5", ":5"])


async def test_real_ipc_is_a_transport(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    await check_transport(IpcTransport(), "socket", malformed=["@", "x" * 200])


async def test_virtual_tcp_is_a_transport(virtual_network: VirtualNetwork) -> None:
    fabric = virtual_network._fabric
    await check_transport(VirtualTcp(fabric, fabric.host("a")), "*:0", malformed=["a", "*:5", ":5"])


async def test_virtual_ipc_is_a_transport(virtual_network: VirtualNetwork) -> None:
    fabric = virtual_network._fabric
    await check_transport(VirtualIpc(fabric, fabric.host("a")), "*", malformed=["@", "x" * 200])


async def test_a_broken_transport_is_found(virtual_network: VirtualNetwork) -> None:
    fabric = virtual_network._fabric
    host = fabric.host("a")

    class Shared(triomq.abc.Transport):
        """Takes an address that is in use from who has it."""

        def __init__(self) -> None:
            self.inner = VirtualTcp(fabric, host)

        def check_connect(self, address: str) -> None:
            self.inner.check_connect(address)

        async def connect(self, address: str, options: triomq.Options) -> trio.abc.Stream:
            return await self.inner.connect(address, options)

        async def listen(self, address: str, options: triomq.Options) -> triomq.abc.Listener:
            host.listeners.clear()
            return await self.inner.listen(address, options)

    with pytest.raises(AssertionError, match="binding what is bound already"):
        await check_transport(Shared(), "*:0")


def test_mechanisms() -> None:
    check_mechanism(Null, Null)
    check_mechanism(Scramble, Scramble)


class Longer(Scramble):
    overhead = 3


class Mute(Null):
    def next_command(self) -> bytes | None:
        return None


class Crashing(Null):
    def receive_command(self, command):
        if command.name != b"READY":
            raise KeyError(command.name)
        return super().receive_command(command)


@pytest.mark.parametrize(
    ("mechanism", "text"),
    [(Longer, "overhead is 3"), (Mute, "the handshake stops"), (Crashing, "raised KeyError")],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_mechanism_is_found(mechanism, text: str) -> None:
    with pytest.raises(AssertionError, match=text):
        check_mechanism(mechanism, mechanism)
