"""A network in memory, for virtual time: narrow, so that writes are partial and back-pressure is real."""

from __future__ import annotations

import errno
import math
from collections.abc import Sequence

import trio

import triomq
from triomq.abc import Listener, NonblockingStream, Transport


class _Way:
    """One direction of a connection."""

    def __init__(self, capacity: float) -> None:
        self.octets = bytearray()
        self.capacity = capacity
        self.ended = False  # nothing more will be written
        self.broken = False  # nobody will read
        self.changed = trio.lowlevel.ParkingLot()

    def wake(self) -> None:
        self.changed.unpark_all()


class WireStream(NonblockingStream):
    """One end of a connection."""

    def __init__(self, outgoing: _Way, incoming: _Way, peer: str) -> None:
        self.peer = peer
        self.closed = False
        self._outgoing = outgoing
        self._incoming = incoming

    def _check(self) -> None:
        if self.closed:
            raise trio.ClosedResourceError("closed here")

    def send_nowait(self, buffers: Sequence[bytes | bytearray | memoryview]) -> int:
        self._check()
        way = self._outgoing
        if way.broken or way.ended:
            raise trio.BrokenResourceError("the other end is gone")
        taken = 0
        for buffer in buffers:
            room = way.capacity - len(way.octets)
            piece = buffer if len(buffer) <= room else buffer[: int(room)]
            way.octets += piece
            taken += len(piece)
        if taken:
            way.wake()
        return taken

    def end_sending(self) -> bool:
        self._outgoing.ended = True
        self._outgoing.wake()
        return True

    def receive_nowait(self, max_bytes: int) -> bytes:
        self._check()
        way = self._incoming
        if not way.octets:
            if way.ended:
                return b""
            raise trio.WouldBlock
        data = bytes(way.octets[:max_bytes])
        del way.octets[:max_bytes]
        way.wake()
        return data

    async def wait_receivable(self) -> None:
        await trio.lowlevel.checkpoint()
        while not self.closed and not self._incoming.octets and not self._incoming.ended:
            await self._incoming.changed.park()
        self._check()

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()
        way = self._outgoing
        while not self.closed and not way.broken and len(way.octets) >= way.capacity:
            await way.changed.park()
        self._check()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[await self.send_some([rest]) :]

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await self.wait_receivable()
        return self.receive_nowait(max_bytes or 65536)

    def octets_lost(self) -> None:
        """Break the connection: what is on its way never arrives."""
        for way in (self._outgoing, self._incoming):
            way.octets.clear()
            way.ended = way.broken = True
            way.wake()

    async def aclose(self) -> None:
        self.closed = True
        self._outgoing.ended = self._incoming.broken = True
        self._outgoing.wake()
        self._incoming.wake()
        await trio.lowlevel.checkpoint()


def wire_pair(capacity: float = math.inf) -> tuple[WireStream, WireStream]:
    """Two ends of one connection that holds ``capacity`` octets each way."""
    one, other = _Way(capacity), _Way(capacity)
    return WireStream(one, other, "wire one"), WireStream(other, one, "wire other")


class WireListener(Listener):
    """A bound name of a `Wire`."""

    def __init__(self, wire: Wire, address: str) -> None:
        self._wire = wire
        self._address = address
        self.put, self._arrived = trio.open_memory_channel[WireStream](math.inf)

    @property
    def endpoint(self) -> str:
        return f"wire://{self._address}"

    async def accept(self) -> WireStream:
        return await self._arrived.receive()

    async def aclose(self) -> None:
        self._wire.listeners.pop(self._address, None)
        self._arrived.close()
        await trio.lowlevel.checkpoint()


class Wire(Transport):
    """The transport ``wire://name``. ``attempts`` has the times at which somebody dialled."""

    def __init__(self, capacity: float = math.inf) -> None:
        self.capacity = capacity
        self.listeners: dict[str, WireListener] = {}
        self.attempts: list[float] = []
        self.streams: list[WireStream] = []

    def check_connect(self, address: str) -> None:
        pass

    async def connect(self, address: str, options: triomq.Options) -> WireStream:
        await trio.lowlevel.checkpoint()
        self.attempts.append(trio.current_time())
        listener = self.listeners.get(address)
        if listener is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"nobody listens at {address}")
        near, far = wire_pair(self.capacity)
        self.streams += [near, far]
        listener.put.send_nowait(far)
        return near

    async def listen(self, address: str, options: triomq.Options) -> WireListener:
        await trio.lowlevel.checkpoint()
        if address in self.listeners:
            raise triomq.AddressInUseError(f"wire://{address} is taken")
        listener = self.listeners[address] = WireListener(self, address)
        return listener
