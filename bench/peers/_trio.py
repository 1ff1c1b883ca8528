"""What the peers on trio share."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from ..job import Job
from ..lateness import Lateness


async def end() -> None:
    """Wait until the harness has the result."""
    await trio.lowlevel.wait_readable(sys.stdin.fileno())


@asynccontextmanager
async def ticking(job: Job) -> AsyncIterator[None]:
    """Within the block, another task measures how late it wakes up, if the job is to be watched in this process."""
    if not job.is_watched:
        yield
        return
    lateness = job.probe = Lateness(job)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lateness.tick, trio.sleep)
        yield
        nursery.cancel_scope.cancel()
