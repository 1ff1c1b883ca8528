"""The loops of the works, for peers that are awaited. As in `bench.blocking`, they call a socket's own methods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import islice
from time import perf_counter
from typing import Any, TypeAlias

from . import fanout
from .job import Job
from .kinds import PUBLISH_BATCH

Send: TypeAlias = Callable[[Any], Awaitable[object]]
Receive: TypeAlias = Callable[[], Awaitable[Any]]


async def pull(job: Job, receive: Receive) -> None:
    """Receive everything."""
    for _ in range(job.warm):
        await receive()
    start = job.start_clock()
    for _ in range(job.count - 1):
        await receive()
    message = await receive()
    job.measured(perf_counter() - start, message)


async def push(job: Job, send: Send) -> None:
    """Send everything."""
    messages = job.messages()
    for message in islice(messages, job.warm):
        await send(message)
    job.start_clock()
    for message in islice(messages, job.count - 1):
        await send(message)
    await send(job.last)


async def echo(job: Job, receive: Receive, send: Send) -> None:
    """Send each message back as it came: the server's side of requests."""
    for _ in range(job.warm):
        await send(await receive())
    job.start_clock()
    for _ in range(job.count + job.scheduled):
        await send(await receive())
    job.stop_clock()


async def request(job: Job, send: Send, receive: Receive) -> None:
    """Send a request, wait for its reply, and so on."""
    messages = job.messages()
    for message in islice(messages, job.warm):
        await send(message)
        await receive()
    start = job.start_clock()
    for message in islice(messages, job.count - 1):
        await send(message)
        await receive()
    await send(job.last)
    reply = await receive()
    job.measured(perf_counter() - start, reply)


async def in_flight(job: Job, send: Send, receive: Receive) -> None:
    """Keep requests in flight: a new one for each reply."""
    messages, depth = job.messages(), job.work.in_flight
    for message in islice(messages, depth):
        await send(message)
    for message in islice(messages, job.warm):
        await receive()
        await send(message)
    start = job.start_clock()
    for message in islice(messages, job.count - depth - 1):
        await receive()
        await send(message)
    await receive()
    await send(job.last)
    for _ in range(depth - 1):
        await receive()
    reply = await receive()
    job.measured(perf_counter() - start, reply)


async def publish(job: Job, send: Send, receive_ack: Receive) -> None:
    """Publish two topics, paced by acknowledgements."""
    acknowledged = 0
    for needed, batch in fanout.publications(job):
        while acknowledged < needed:
            await receive_ack()
            acknowledged += 1
        for message in batch:
            await send(message)
    job.stop_clock()


async def subscribe(job: Job, number: int, receive: Receive, gathering: fanout.Gathering, send_ack: Send) -> None:
    """Be one of the subscribers."""
    for batch in range(fanout.batches(job)):
        for _ in range(PUBLISH_BATCH - 1):
            await receive()
        message = await receive()
        if gathering.finish(number, batch, bytes(message)):
            await send_ack(b"")


async def subscribe_many(
    job: Job, number: int, receive_many: Callable[[int], Awaitable[Any]], gathering: fanout.Gathering, send_ack: Send
) -> None:
    """Be one of the subscribers, and take all that is there with each call."""
    for batch in range(fanout.batches(job)):
        left, messages = PUBLISH_BATCH, []
        while left:
            messages = await receive_many(left)
            left -= len(messages)
        if gathering.finish(number, batch, bytes(messages[-1])):
            await send_ack(b"")
