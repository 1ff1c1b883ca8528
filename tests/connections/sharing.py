"""Contexts of one trio run that share their names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import trio

import triomq

NAME = "inproc://it"


@asynccontextmanager
async def contexts(count: int = 2) -> AsyncIterator[list[triomq.Context]]:
    """Contexts that share their names."""
    names = triomq.SharedNames()
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(triomq.open_context(inproc=names)) for _ in range(count)]


def kinds(monitor: triomq.Monitor) -> list[str]:
    """The events that have come."""
    found = []
    while True:
        try:
            found.append(type(monitor.receive_nowait()).__name__)
        except trio.WouldBlock:
            return found
