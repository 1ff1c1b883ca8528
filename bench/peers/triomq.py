"""triomq."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import islice
from time import perf_counter
from typing import Any

import trio

import triomq

from .. import asynchronous, computing, fanout, keys
from ..fanout import Gathering
from ..job import Job
from ..kinds import Kind
from . import Peer
from ._threads import Talk, pull_each, push_each, threads, threads_request
from ._trio import end, ticking

_MANY = 100
"""Messages in one ``send_many``."""


@asynccontextmanager
async def _context(job: Job) -> AsyncIterator[tuple[triomq.Context, Any]]:
    """A context, and the options for its sockets."""
    options = dict(job.options)
    for_sockets = options.pop("sockets", {})
    if job.work.hwm is not None:
        for_sockets = {"hwm": job.work.hwm, **for_sockets}
    if job.work.secure:
        for_sockets = {"mechanism": _curve(job), **for_sockets}
    async with triomq.open_context(**options) as context, ticking(job):
        yield context, for_sockets


def _curve(job: Job) -> Any:
    server = triomq.KeyPair(*keys.SERVER)
    if not job.endpoints:
        return triomq.Curve.server(server)
    return triomq.Curve(server.public_key, triomq.KeyPair(*keys.CLIENT))


@asynccontextmanager
async def _bound(job: Job, *types: Any) -> AsyncIterator[tuple[Any, ...]]:
    async with _context(job) as (context, options):
        sockets = tuple(context.socket(type_, **options) for type_ in types)
        numbered = [socket for socket in sockets for _ in range(job.work.connections)]
        job.announce(*[await socket.bind("tcp://127.0.0.1:0") for socket in numbered])
        yield sockets
        await end()


@asynccontextmanager
async def _connected(job: Job, type_: Any) -> AsyncIterator[Any]:
    async with _context(job) as (context, options):
        socket = context.socket(type_, **options)
        for endpoint in job.endpoints:
            socket.connect(endpoint)
        if job.work.connections > 1:
            await socket.wait_peers(job.work.connections)  # or all goes to the first one
        yield socket
        await end()


async def pull(job: Job) -> None:
    """Receive messages, of any number of frames."""
    async with _bound(job, triomq.PULL) as (socket,):
        await asynchronous.pull(job, socket.receive)


async def push(job: Job) -> None:
    """Send messages, of any number of frames."""
    async with _connected(job, triomq.PUSH) as socket:
        await asynchronous.push(job, socket.send)


async def _pull_many(job: Job, socket: triomq.PULL) -> None:
    received = 0
    while received < job.warm:
        received += len(await socket.receive_many(min(1000, job.warm - received)))
    messages: Sequence[Any] = ()
    start, before = job.start_clock(), received
    while received < job.total:
        messages = await socket.receive_many(1000)
        received += len(messages)
    job.measured(perf_counter() - start, messages[-1], received - before)


async def _push_many(job: Job, socket: triomq.PUSH) -> None:
    batches = job.lists(_MANY)
    for batch in islice(batches, job.warm // _MANY):
        await socket.send_many(batch)
    job.start_clock()
    full, rest = divmod(job.total - 1 - job.warm // _MANY * _MANY, _MANY)
    for batch in islice(batches, full):
        await socket.send_many(batch)
    await socket.send_many([*next(batches)[:rest], job.last])


async def pull_many(job: Job) -> None:
    """Receive all that is there, again and again."""
    async with _bound(job, triomq.PULL) as (socket,):
        await _pull_many(job, socket)


async def push_many(job: Job) -> None:
    """Send a hundred messages with each call."""
    async with _connected(job, triomq.PUSH) as socket:
        await _push_many(job, socket)


async def reply(job: Job) -> None:
    """Answer each request with itself."""
    async with _bound(job, triomq.REP) as (socket,):
        await asynchronous.echo(job, socket.receive, socket.send)


async def request(job: Job) -> None:
    """One request after the other."""
    async with _connected(job, triomq.REQ) as socket:
        await asynchronous.request(job, socket.send, socket.receive)


async def router(job: Job) -> None:
    """Send each message back to where it came from."""
    async with _bound(job, triomq.ROUTER) as (socket,):
        await asynchronous.echo(job, socket.receive, socket.send)


async def dealer(job: Job) -> None:
    """Many requests in flight."""
    async with _connected(job, triomq.DEALER) as socket:
        await asynchronous.in_flight(job, socket.send, socket.receive)


async def publish(job: Job) -> None:
    """Publish when all subscribers are there."""
    async with _bound(job, triomq.PUB, triomq.PULL) as (pub, acks):
        for topic, wanted in fanout.expected(job):
            await pub.wait_subscribers(topic, wanted)
        await asynchronous.publish(job, pub.send, acks.receive)


async def _subscribe(job: Job, take: Callable[[triomq.SUB, int, Gathering, triomq.PUSH], Awaitable[None]]) -> None:
    """One task for each subscriber."""
    gathering = Gathering(job)
    async with triomq.open_context(**job.options) as context:
        ack = context.socket(triomq.PUSH)
        ack.connect(job.endpoints[1])
        async with trio.open_nursery() as nursery:
            for number in range(job.work.subscribers):
                sub = context.socket(triomq.SUB, topics=fanout.topics_of(job, number))
                sub.connect(job.endpoints[0])
                nursery.start_soon(take, sub, number, gathering, ack)
        await end()


async def subscribe(job: Job) -> None:
    """Receive message by message."""

    async def take(sub: triomq.SUB, number: int, gathering: Gathering, ack: triomq.PUSH) -> None:
        await asynchronous.subscribe(job, number, sub.receive, gathering, ack.send)

    await _subscribe(job, take)


async def subscribe_many(job: Job) -> None:
    """Receive all that is there, again and again."""

    async def take(sub: triomq.SUB, number: int, gathering: Gathering, ack: triomq.PUSH) -> None:
        await asynchronous.subscribe_many(job, number, sub.receive_many, gathering, ack.send)

    await _subscribe(job, take)


async def _inproc(job: Job, pull: Talk, push: Talk) -> None:
    """Two tasks."""
    async with triomq.open_context(**job.options) as context:
        receiver, sender = context.socket(triomq.PULL), context.socket(triomq.PUSH)
        await receiver.bind("inproc://bench")
        sender.connect("inproc://bench")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pull, job, receiver)
            nursery.start_soon(push, job, sender)


async def proxy(job: Job) -> None:
    """Move messages between clients and workers."""
    async with _bound(job, triomq.ROUTER, triomq.DEALER) as (frontend, backend), trio.open_nursery() as nursery:
        job.start_clock(with_warm_up=True)
        nursery.start_soon(triomq.proxy, frontend, backend)
        await end()
        job.stop_clock()
        nursery.cancel_scope.cancel()


async def idle(job: Job) -> None:
    """Be there for connections that do nothing."""
    async with _bound(job, triomq.ROUTER):
        pass


async def meet(job: Job) -> None:
    """Be there for those that connect."""
    async with _bound(job, triomq.PULL):
        job.start_clock(with_warm_up=True)


async def introduce(job: Job) -> None:
    """Connect many sockets at once, and wait for all."""
    async with _context(job) as (context, options):

        async def connect(number: int) -> None:
            sockets = [context.socket(triomq.PUSH, connect=job.endpoints[0], **options) for _ in range(number)]
            for socket in sockets:
                await socket.wait_peers()

        await connect(job.warm)
        start = job.start_clock()
        await connect(job.count)
        job.report(perf_counter() - start)
        await end()


async def compute(job: Job) -> None:
    """Compute, and let the event loop have a turn between two slices."""
    async with _bound(job, triomq.PULL):
        while not computing.has_ended():
            computing.compute()
            await trio.lowlevel.checkpoint()


PEER = Peer(
    title="triomq",
    run=trio.run,
    module="triomq",
    works={
        Kind.PUSH: (pull, push),
        Kind.MULTIPART: (pull, push),
        Kind.MANY: (pull_many, push_many),
        Kind.REQUEST: (reply, request),
        Kind.ROUTER: (router, dealer),
        Kind.PUBLISH: (publish, subscribe),
        Kind.SUBSCRIPTIONS: (publish, subscribe),
        Kind.FANOUT: (publish,),
        Kind.PUBLISH_MANY: (publish, subscribe_many),
        Kind.INPROC: (partial(_inproc, pull=pull_each, push=push_each),),
        Kind.INPROC_MANY: (partial(_inproc, pull=_pull_many, push=_push_many),),
        Kind.THREADS: (partial(threads, pull=pull_each, push=push_each),),
        Kind.THREADS_MANY: (partial(threads, pull=_pull_many, push=_push_many),),
        Kind.THREADS_REQUEST: (threads_request,),
        Kind.PROXY: (proxy,),
        Kind.CROWD: (router,),
        Kind.MEMORY: (idle,),
        Kind.LATENCY: (router,),
        Kind.WAIT: (pull, push_many),
        Kind.HANDSHAKES: (meet, introduce),
        Kind.BUSY: (compute,),
    },
)
