"""zmq.asyncio, on asyncio's own event loop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import zmq.asyncio

from .. import asynchronous, fanout
from ..job import Job
from ..kinds import Kind
from ..lateness import Lateness
from . import Peer


async def _end() -> None:
    readable = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, readable.set)
    await readable.wait()
    asyncio.get_running_loop().remove_reader(sys.stdin)


@asynccontextmanager
async def _ticking(job: Job) -> AsyncIterator[None]:
    if not job.is_watched:
        yield
        return
    lateness = job.probe = Lateness(job)
    task = asyncio.create_task(lateness.tick(asyncio.sleep))
    yield
    task.cancel()


@asynccontextmanager
async def _bound(job: Job, *types: int) -> AsyncIterator[tuple[zmq.asyncio.Socket, ...]]:
    with zmq.asyncio.Context() as context:
        sockets = tuple(context.socket(type_) for type_ in types)
        for socket, type_ in zip(sockets, types, strict=True):
            if type_ == zmq.XPUB:
                socket.setsockopt(zmq.XPUB_VERBOSE, 1)
                socket.setsockopt(zmq.SNDHWM, 100_000)  # libzmq learns late what was read
            socket.bind("tcp://127.0.0.1:*")
        job.announce(*(socket.last_endpoint for socket in sockets))
        async with _ticking(job):
            yield sockets
            await _end()
        for socket in sockets:
            socket.close()


@asynccontextmanager
async def _connected(job: Job, type_: int) -> AsyncIterator[zmq.asyncio.Socket]:
    with zmq.asyncio.Context() as context, context.socket(type_) as socket:
        socket.connect(job.endpoints[0])
        yield socket
        await _end()


async def pull(job: Job) -> None:
    """Receive one-frame messages."""
    async with _bound(job, zmq.PULL) as (socket,):
        await asynchronous.pull(job, socket.recv)


async def push(job: Job) -> None:
    """Send one-frame messages."""
    async with _connected(job, zmq.PUSH) as socket:
        await asynchronous.push(job, socket.send)


async def pull_multipart(job: Job) -> None:
    """Receive messages of several frames."""
    async with _bound(job, zmq.PULL) as (socket,):
        await asynchronous.pull(job, socket.recv_multipart)


async def push_multipart(job: Job) -> None:
    """Send messages of several frames."""
    async with _connected(job, zmq.PUSH) as socket:
        await asynchronous.push(job, socket.send_multipart)


async def reply(job: Job) -> None:
    """Answer each request with itself."""
    async with _bound(job, zmq.REP) as (socket,):
        await asynchronous.echo(job, socket.recv, socket.send)


async def request(job: Job) -> None:
    """One request after the other."""
    async with _connected(job, zmq.REQ) as socket:
        await asynchronous.request(job, socket.send, socket.recv)


async def router(job: Job) -> None:
    """Send each message back to where it came from."""
    async with _bound(job, zmq.ROUTER) as (socket,):
        await asynchronous.echo(job, socket.recv_multipart, socket.send_multipart)


async def dealer(job: Job) -> None:
    """Many requests in flight."""
    async with _connected(job, zmq.DEALER) as socket:
        await asynchronous.in_flight(job, socket.send, socket.recv)


async def publish(job: Job) -> None:
    """Publish from an XPUB, which is PUB that tells when the subscribers are there."""
    async with _bound(job, zmq.XPUB, zmq.PULL) as (pub, acks):
        for _ in range(fanout.subscriptions(job)):
            await pub.recv()
        await asynchronous.publish(job, pub.send, acks.recv)


async def subscribe(job: Job) -> None:
    """One task for each subscriber."""
    gathering = fanout.Gathering(job)
    with zmq.asyncio.Context() as context, context.socket(zmq.PUSH) as ack:
        ack.connect(job.endpoints[1])
        subs = [context.socket(zmq.SUB) for _ in range(job.work.subscribers)]
        async with asyncio.TaskGroup() as group:
            for number, sub in enumerate(subs):
                sub.subscribe(*fanout.topics_of(job, number))
                sub.connect(job.endpoints[0])
                group.create_task(asynchronous.subscribe(job, number, sub.recv, gathering, ack.send))
        await _end()
        for sub in subs:
            sub.close()


async def inproc(job: Job) -> None:
    """Two tasks."""
    with (
        zmq.asyncio.Context() as context,
        context.socket(zmq.PULL) as receiver,
        context.socket(zmq.PUSH) as sender,
    ):
        receiver.bind("inproc://bench")
        sender.connect("inproc://bench")
        async with asyncio.TaskGroup() as group:
            group.create_task(asynchronous.pull(job, receiver.recv))
            group.create_task(asynchronous.push(job, sender.send))


def _run(side: Callable[[Job], Any], job: Job) -> None:
    asyncio.run(side(job))


PEER = Peer(
    title="zmq.asyncio",
    module="zmq.asyncio",
    run=_run,
    works={
        Kind.PUSH: (pull, push),
        Kind.MULTIPART: (pull_multipart, push_multipart),
        Kind.REQUEST: (reply, request),
        Kind.ROUTER: (router, dealer),
        Kind.PUBLISH: (publish, subscribe),
        Kind.FANOUT: (publish,),
        Kind.INPROC: (inproc,),
        Kind.LATENCY: (router,),
        Kind.WAIT: (pull, push),
    },
)
