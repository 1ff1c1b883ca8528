"""A raw trio `SocketStream`: what trio itself costs.

Messages are a length in four octets and a body. Throughput is one `send_all` for each message, and a receiver that
only counts octets: no protocol could cost less. The round trip parses.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

import trio

from .. import asynchronous
from ..job import Job, LostMessageError
from ..kinds import Kind
from . import Peer
from ._trio import end, ticking

_LENGTH = 4


def _frame(body: bytes | list[bytes]) -> bytes:
    assert isinstance(body, bytes)
    return len(body).to_bytes(_LENGTH, "big") + body


class _Framed:
    """Whole messages on a stream; one at a time, as in a round trip."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._unread = b""

    async def send(self, body: bytes) -> None:
        """Send one message."""
        await self._stream.send_all(_frame(body))

    async def receive(self) -> bytes:
        """Receive one message."""
        data = self._unread
        while len(data) < _LENGTH or len(data) < (size := _LENGTH + int.from_bytes(data[:_LENGTH], "big")):
            more = await self._stream.receive_some()
            if not more:
                raise EOFError("the other side is gone")
            data += more
        self._unread = data[size:]
        return data[_LENGTH:size]


@asynccontextmanager
async def _accepted(job: Job) -> AsyncIterator[trio.SocketStream]:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        job.announce(listener.socket.getsockname()[1])
        async with await listener.accept() as stream, ticking(job):
            yield stream
            await end()


@asynccontextmanager
async def _connected(job: Job) -> AsyncIterator[trio.SocketStream]:
    async with await trio.open_tcp_stream("127.0.0.1", int(job.endpoints[0])) as stream, ticking(job):
        yield stream
        await end()


async def pull(job: Job) -> None:
    """Count octets, and look at the last one."""
    one = _LENGTH + job.work.size
    async with _accepted(job) as stream:
        received = 0
        while received < job.warm * one:
            received += len(await stream.receive_some())
        start, before, total, data = job.start_clock(), received, job.total * one, b""
        while received < total:
            data = await stream.receive_some()
            if not data:
                raise EOFError("the other side is gone")
            received += len(data)
        seconds = perf_counter() - start
        if data[-1:] != job.last[-1:]:
            raise LostMessageError(f"the last octet is {data[-1:]!r}")
        job.measured(seconds, job.last, (received - before) // one)


async def push(job: Job) -> None:
    """One `send_all` for each message."""
    usual, last = _frame(job.message), _frame(job.last)
    async with _connected(job) as stream:
        for _ in range(job.warm):
            await stream.send_all(usual)
        job.start_clock()
        for _ in range(job.count - 1):
            await stream.send_all(usual)
        await stream.send_all(last)


async def reply(job: Job) -> None:
    """Answer each request with itself."""
    async with _accepted(job) as stream:
        framed = _Framed(stream)
        await asynchronous.echo(job, framed.receive, framed.send)


async def request(job: Job) -> None:
    """One request after the other."""
    async with _connected(job) as stream:
        framed = _Framed(stream)
        await asynchronous.request(job, framed.send, framed.receive)


PEER = Peer(
    title="raw trio stream",
    run=trio.run,
    module="trio",
    works={Kind.PUSH: (pull, push), Kind.REQUEST: (reply, request), Kind.WAIT: (pull, push)},
)
