"""zmq-anyio on trio: libzmq behind its edge-triggered file descriptor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import trio
import zmq
import zmq_anyio

from .. import asynchronous, fanout
from ..job import Job
from ..kinds import Kind
from . import Peer
from ._trio import end, ticking


@asynccontextmanager
async def _bound(job: Job, *types: int) -> AsyncIterator[tuple[zmq_anyio.Socket, ...]]:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(ticking(job))
        context = stack.enter_context(zmq.Context())
        sockets = tuple([await stack.enter_async_context(zmq_anyio.Socket(context, type_)) for type_ in types])
        for socket, type_ in zip(sockets, types, strict=True):
            if type_ == zmq.XPUB:
                socket.setsockopt(zmq.XPUB_VERBOSE, 1)
                socket.setsockopt(zmq.SNDHWM, 100_000)  # libzmq learns late what was read
            socket.bind("tcp://127.0.0.1:*")
        job.announce(*(socket.last_endpoint for socket in sockets))
        yield sockets
        await end()


@asynccontextmanager
async def _connected(job: Job, type_: int) -> AsyncIterator[zmq_anyio.Socket]:
    with zmq.Context() as context:
        async with zmq_anyio.Socket(context, type_) as socket:
            socket.connect(job.endpoints[0])
            yield socket
            await end()


async def pull(job: Job) -> None:
    """Receive one-frame messages."""
    async with _bound(job, zmq.PULL) as (socket,):
        await asynchronous.pull(job, socket.arecv)


async def push(job: Job) -> None:
    """Send one-frame messages."""
    async with _connected(job, zmq.PUSH) as socket:
        await asynchronous.push(job, socket.asend)


async def pull_multipart(job: Job) -> None:
    """Receive messages of several frames."""
    async with _bound(job, zmq.PULL) as (socket,):
        await asynchronous.pull(job, socket.arecv_multipart)


async def push_multipart(job: Job) -> None:
    """Send messages of several frames."""
    async with _connected(job, zmq.PUSH) as socket:
        await asynchronous.push(job, socket.asend_multipart)


async def reply(job: Job) -> None:
    """Answer each request with itself."""
    async with _bound(job, zmq.REP) as (socket,):
        await asynchronous.echo(job, socket.arecv, socket.asend)


async def request(job: Job) -> None:
    """One request after the other."""
    async with _connected(job, zmq.REQ) as socket:
        await asynchronous.request(job, socket.asend, socket.arecv)


async def router(job: Job) -> None:
    """Send each message back to where it came from."""
    async with _bound(job, zmq.ROUTER) as (socket,):
        await asynchronous.echo(job, socket.arecv_multipart, socket.asend_multipart)


async def dealer(job: Job) -> None:
    """Many requests in flight."""
    async with _connected(job, zmq.DEALER) as socket:
        await asynchronous.in_flight(job, socket.asend, socket.arecv)


async def publish(job: Job) -> None:
    """Publish from an XPUB, which is PUB that tells when the subscribers are there."""
    async with _bound(job, zmq.XPUB, zmq.PULL) as (pub, acks):
        for _ in range(fanout.subscriptions(job)):
            await pub.arecv()
        await asynchronous.publish(job, pub.asend, acks.arecv)


async def subscribe(job: Job) -> None:
    """One task for each subscriber."""
    gathering = fanout.Gathering(job)
    async with AsyncExitStack() as stack:
        context = stack.enter_context(zmq.Context())
        ack = await stack.enter_async_context(zmq_anyio.Socket(context, zmq.PUSH))
        ack.connect(job.endpoints[1])
        subs = [zmq_anyio.Socket(context, zmq.SUB) for _ in range(job.work.subscribers)]
        for sub in subs:
            await stack.enter_async_context(sub)
        async with trio.open_nursery() as nursery:
            for number, sub in enumerate(subs):
                sub.subscribe(*fanout.topics_of(job, number))
                sub.connect(job.endpoints[0])
                nursery.start_soon(asynchronous.subscribe, job, number, sub.arecv, gathering, ack.asend)
        await end()


async def inproc(job: Job) -> None:
    """Two tasks."""
    with zmq.Context() as context:
        async with zmq_anyio.Socket(context, zmq.PULL) as receiver, zmq_anyio.Socket(context, zmq.PUSH) as sender:
            receiver.bind("inproc://bench")
            sender.connect("inproc://bench")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(asynchronous.pull, job, receiver.arecv)
                nursery.start_soon(asynchronous.push, job, sender.asend)


PEER = Peer(
    title="zmq-anyio on trio",
    module="zmq_anyio",
    run=trio.run,
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
