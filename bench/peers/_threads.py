"""triomq between two trio runs, each in a thread of its own, which share the names of their endpoints."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

import trio

import triomq

from .. import asynchronous
from ..job import Job

Talk: TypeAlias = Callable[[Job, Any], Awaitable[None]]

_ENDPOINT = "inproc://bench"


async def _connect(job: Job, names: triomq.SharedNames, type_: Any, talk: Talk) -> None:
    async with triomq.open_context(inproc=names, **job.options) as context, context.socket(type_) as socket:
        socket.connect(_ENDPOINT)
        await talk(job, socket)


async def _both(job: Job, types: tuple[Any, Any], bound: Talk, connected: Talk) -> None:
    names = triomq.SharedNames()
    async with triomq.open_context(inproc=names, **job.options) as context, trio.open_nursery() as nursery:
        socket = context.socket(types[0])
        await socket.bind(_ENDPOINT)
        nursery.start_soon(trio.to_thread.run_sync, trio.run, partial(_connect, job, names, types[1], connected))
        await bound(job, socket)


async def pull_each(job: Job, socket: triomq.PULL) -> None:
    """Receive message by message."""
    await asynchronous.pull(job, socket.receive)


async def push_each(job: Job, socket: triomq.PUSH) -> None:
    """Send message by message."""
    await asynchronous.push(job, socket.send)


async def threads(job: Job, pull: Talk, push: Talk) -> None:
    """One sends, one receives."""
    await _both(job, (triomq.PULL, triomq.PUSH), pull, push)


async def threads_request(job: Job) -> None:
    """One asks, one answers."""

    async def echo(job: Job, socket: triomq.PAIR) -> None:
        await asynchronous.echo(job, socket.receive, socket.send)

    async def request(job: Job, socket: triomq.PAIR) -> None:
        await asynchronous.request(job, socket.send, socket.receive)

    await _both(job, (triomq.PAIR, triomq.PAIR), request, echo)
