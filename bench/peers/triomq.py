"""triomq."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from time import perf_counter
from typing import Any

import trio

import triomq

from .. import asynchronous, computing, fanout
from ..job import Job
from ..kinds import Kind
from . import Peer
from ._threads import threads, threads_many, threads_request
from ._trio import end, ticking

_MANY = 100
"""Messages in one ``send_many``."""


@asynccontextmanager
async def _context(job: Job) -> AsyncIterator[tuple[triomq.Context, Any]]:
    """A context, and the options for its sockets."""
    options = dict(job.options)
    for_sockets = options.pop("sockets", {})
    async with triomq.open_context(**options) as context:
        yield context, for_sockets


@asynccontextmanager
async def _bound(job: Job, *types: Any) -> AsyncIterator[tuple[Any, ...]]:
    async with _context(job) as (context, options):
        sockets = tuple(context.socket(type_, **options) for type_ in types)
        job.announce(*[await socket.bind("tcp://127.0.0.1:0") for socket in sockets])
        yield sockets
        await end()


@asynccontextmanager
async def _connected(job: Job, type_: Any) -> AsyncIterator[Any]:
    async with _context(job) as (context, options):
        socket = context.socket(type_, **options)
        socket.connect(job.endpoints[0])
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


async def push_mixed(job: Job) -> None:
    """Send messages of different sizes."""
    async with _connected(job, triomq.PUSH) as socket:
        await asynchronous.push_mixed(job, socket.send)


async def _pull_many(job: Job, socket: triomq.PULL) -> None:
    received = 0
    while received < job.warm:
        received += len(await socket.receive_many(min(1000, job.warm - received)))
    start, before, messages = job.start_clock(), received, [()]
    while received < job.total:
        messages = await socket.receive_many(1000)
        received += len(messages)
    job.measured(perf_counter() - start, messages[-1], received - before)


async def _push_many(job: Job, socket: triomq.PUSH) -> None:
    batch = [job.message] * _MANY
    for _ in range(job.warm // _MANY):
        await socket.send_many(batch)
    job.start_clock()
    full, rest = divmod(job.total - 1 - job.warm // _MANY * _MANY, _MANY)
    for _ in range(full):
        await socket.send_many(batch)
    await socket.send_many([job.message] * rest + [job.last])


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


async def subscribe(job: Job) -> None:
    """One task for each subscriber."""
    gathering = fanout.Gathering(job)
    async with triomq.open_context(**job.options) as context:
        ack = context.socket(triomq.PUSH)
        ack.connect(job.endpoints[1])
        async with trio.open_nursery() as nursery:
            for number in range(job.work.subscribers):
                sub = context.socket(triomq.SUB, topics=fanout.topics_of(job, number))
                sub.connect(job.endpoints[0])
                nursery.start_soon(asynchronous.subscribe, job, number, sub.receive, gathering, ack.send)
        await end()


async def inproc(job: Job) -> None:
    """Two tasks."""
    async with triomq.open_context(**job.options) as context:
        receiver, sender = context.socket(triomq.PULL), context.socket(triomq.PUSH)
        await receiver.bind("inproc://bench")
        sender.connect("inproc://bench")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(asynchronous.pull, job, receiver.receive)
            nursery.start_soon(asynchronous.push, job, sender.send)


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


async def pull_and_tick(job: Job) -> None:
    """Receive messages one by one, next to a task that wants to wake up every millisecond."""
    async with _bound(job, triomq.PULL) as (socket,), ticking(job):
        await asynchronous.pull(job, socket.receive)


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
        Kind.MIXED: (pull, push_mixed),
        Kind.MULTIPART: (pull, push),
        Kind.MANY: (pull_many, push_many),
        Kind.REQUEST: (reply, request),
        Kind.ROUTER: (router, dealer),
        Kind.PUBLISH: (publish, subscribe),
        Kind.SUBSCRIPTIONS: (publish, subscribe),
        Kind.FANOUT: (publish,),
        Kind.INPROC: (inproc,),
        Kind.THREADS: (threads,),
        Kind.THREADS_MANY: (partial(threads_many, pull=_pull_many, push=_push_many),),
        Kind.THREADS_REQUEST: (threads_request,),
        Kind.PROXY: (proxy,),
        Kind.CROWD: (router,),
        Kind.MEMORY: (idle,),
        Kind.LATENCY: (router,),
        Kind.WAIT: (pull_and_tick, push_many),
        Kind.BUSY: (compute,),
    },
)
