"""A trio memory channel: what triomq's inproc is measured by."""

from __future__ import annotations

import trio

from .. import asynchronous
from ..job import Job
from ..kinds import Kind
from . import Peer

_CAPACITY = 2000
"""What the two default HWMs of an inproc pair come to."""


async def inproc(job: Job) -> None:
    """Two tasks."""
    sender, receiver = trio.open_memory_channel[bytes](_CAPACITY)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(asynchronous.pull, job, receiver.receive)
        nursery.start_soon(asynchronous.push, job, sender.send)


PEER = Peer(title="trio memory channel", run=trio.run, works={Kind.INPROC: (inproc,)})
