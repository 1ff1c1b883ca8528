"""A peer that says whatever it likes: octets over a plain stream, real or virtual."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio
import trio.testing

from triomq.testing import VirtualNetwork, VirtualStream

from ..virtual import dial

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(48)
SOON = 5.0  # virtual seconds, within which whatever is waited for must happen
PATIENCE = 60.0  # seconds of real time after which a test hangs; how quick this machine is judges nothing


def patience() -> float:
    """Seconds after which what is waited for will not happen any more."""
    return SOON if isinstance(trio.lowlevel.current_clock(), trio.testing.MockClock) else PATIENCE


def frame(body: bytes, flags: int = 0) -> bytes:
    """One frame; LONG is added where due."""
    return header(flags, len(body)) + body


def header(flags: int, size: int) -> bytes:
    """What a frame of this size begins with."""
    return bytes((flags, size)) if size < 256 else bytes((flags | 2,)) + size.to_bytes(8, "big")


def command(name: bytes, data: bytes = b"") -> bytes:
    return frame(bytes((len(name),)) + name + data, 4)


def metadata(name: bytes, value: bytes) -> bytes:
    return bytes((len(name),)) + name + len(value).to_bytes(4, "big") + value


def ready(socket_type: str, identity: bytes | None = None, further: bytes = b"") -> bytes:
    identity_property = b"" if identity is None else metadata(b"Identity", identity)
    return command(b"READY", metadata(b"Socket-Type", socket_type.encode()) + identity_property + further)


@attrs.define
class Flood:
    """How far a flood has come.

    Attributes:
      taken: how many blocks the other end, and the kernels between, have taken whole.
      ended: whether it is over: all blocks were taken, or the other end closed the connection.
    """

    taken: int = 0
    ended: bool = False


@attrs.define(eq=False)
class Raw:
    """One connection of a hostile peer.

    Attributes:
      address: as a monitor calls this peer.
    """

    stream: trio.SocketStream | VirtualStream
    address: str = ""

    async def say(self, *pieces: bytes) -> bool:
        """Send; whether the other end took it all."""
        try:
            for piece in pieces:
                await self.stream.send_all(piece)
        except trio.BrokenResourceError:
            return False
        return True

    @asynccontextmanager
    async def flooding(self, block: bytes, times: int) -> AsyncIterator[Flood]:
        """Send a block again and again while the body runs, but not more often than that, nor to a closed connection.

        What is left then is not sent: the last block may be torn.
        """
        flood = Flood()

        async def pour() -> None:
            while flood.taken < times and await self.say(block):
                flood.taken += 1
            flood.ended = True

        async with trio.open_nursery() as nursery:
            nursery.start_soon(pour)
            yield flood
            nursery.cancel_scope.cancel()

    async def hear(self, size: int) -> bytes:
        """Exactly so many octets, or fewer if the connection ends before."""
        heard = b""
        with trio.fail_after(patience()):
            while len(heard) < size and (data := await self.stream.receive_some(size - len(heard))):
                heard += data
        return heard

    async def hear_frame(self) -> bytes:
        """The body of the next frame."""
        flags, size = await self.hear(2)
        if flags & 2:
            size = int.from_bytes(bytes((size,)) + await self.hear(7), "big")
        return await self.hear(size)

    async def end(self) -> None:
        """Send nothing more."""
        if isinstance(self.stream, trio.SocketStream):
            await self.stream.send_eof()
        else:
            self.stream.end_sending()

    async def hear_end(self) -> bytes:
        """Everything until the other end closes the connection, as it must."""
        heard = b""
        with trio.fail_after(patience()):
            try:
                while data := await self.stream.receive_some():
                    heard += data
            except trio.BrokenResourceError:
                pass  # it closed with something unread
        return heard

    async def hear_end_at_last(self) -> None:
        """Wait until the other end closes the connection, however long that takes."""
        try:
            async for _ in self.stream:
                pass
        except trio.BrokenResourceError:
            pass  # it closed with something unread

    async def greet(self, socket_type: str, identity: bytes | None = None, *, minor: int = 1) -> bytes:
        """Make the handshake as it should be. Returns: what the other end said of itself."""
        await self.say(GREETING[:11] + bytes((minor,)) + GREETING[12:], ready(socket_type, identity))
        assert len(await self.hear(64)) == 64
        return await self.hear_frame()


@asynccontextmanager
async def raw_at(
    endpoint: str, net: VirtualNetwork | None = None, host: str = "evil", **options: int
) -> AsyncIterator[Raw]:
    """A connection to an endpoint: to a real one or, from a host of its own, to one of a virtual network.

    Args:
      options: of a virtual connection, such as ``receive_buffer``.
    """
    if net is not None:
        async with await dial(net, endpoint, host, **options) as stream:
            (made,) = [event for event in net.recorder.of_kind("established") if event.connection == stream.number]
            yield Raw(stream, made.text.partition(" > ")[0])
        return
    address, port = endpoint.removeprefix("tcp://").rsplit(":", 1)
    async with await trio.open_tcp_stream(address, int(port)) as stream:
        yield Raw(stream, "tcp://{}:{}".format(*stream.socket.getsockname()[:2]))
