"""A tcp transport that tells which heartbeats have come in: neither library does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import trio

import triomq.abc
from triomq._transports import SocketStream, TcpTransport

LONGEST = 5  # octets of the longest name below with its length before it


class Overheard(triomq.abc.Transport):
    """The real tcp; `heard` waits for a heartbeat of any peer."""

    def __init__(self) -> None:
        self._tcp = TcpTransport()
        self._heard: Counter[str] = Counter()
        self._more = trio.Event()

    async def heard(self, name: str, times: int = 1) -> None:
        """Wait until so many PINGs or PONGs have come, since the last call."""
        self._heard[name] = 0
        while self._heard[name] < times:
            await self._more.wait()

    def note(self, data: bytes) -> None:
        for name in ("PING", "PONG"):
            self._heard[name] += data.count(b"\4" + name.encode())
        self._more.set()
        self._more = trio.Event()

    def check_connect(self, address: str) -> None:
        self._tcp.check_connect(address)

    async def connect(self, address: str, options: Any) -> triomq.abc.NonblockingStream:
        return _Stream(await self._tcp.connect(address, options), self)

    async def listen(self, address: str, options: Any) -> triomq.abc.Listener:
        return _Listener(await self._tcp.listen(address, options), self)


class _Listener(triomq.abc.Listener):
    def __init__(self, listener: triomq.abc.Listener, overheard: Overheard) -> None:
        self._listener, self._overheard = listener, overheard

    @property
    def endpoint(self) -> str:
        return self._listener.endpoint

    async def accept(self) -> triomq.abc.NonblockingStream:
        stream = await self._listener.accept()
        assert isinstance(stream, SocketStream)
        return _Stream(stream, self._overheard)

    async def aclose(self) -> None:
        await self._listener.aclose()


class _Stream(triomq.abc.NonblockingStream):
    """Reads as the other does, and tells the transport."""

    can_interrupt = True

    def __init__(self, stream: SocketStream, overheard: Overheard) -> None:
        self._stream, self._overheard = stream, overheard
        self._last = b""
        self.peer = stream.peer

    def interrupt(self) -> None:
        self._stream.interrupt()

    def receive_nowait(self, max_bytes: int) -> bytes:
        data = self._stream.receive_nowait(max_bytes)
        self._overheard.note(self._last + data)
        self._last = data[1 - LONGEST :]  # it may be torn
        return data

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await self.wait_receivable()
        return self.receive_nowait(max_bytes or 65_536)

    async def wait_receivable(self) -> None:
        await self._stream.wait_receivable()

    def send_nowait(self, buffers: Sequence[Any]) -> int:
        return self._stream.send_nowait(buffers)

    async def send_all(self, data: Any) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    def end_sending(self) -> bool:
        return self._stream.end_sending()

    async def aclose(self) -> None:
        await self._stream.aclose()
