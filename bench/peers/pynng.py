"""pynng on trio: nng, the younger relative of ØMQ, by callbacks from its threads."""

from __future__ import annotations

import pynng
import trio

from .. import asynchronous
from ..job import Job
from ..kinds import Kind
from . import Peer
from ._trio import end, ticking


def _listen(job: Job, socket: pynng.Socket) -> None:
    listener = socket.listen("tcp://127.0.0.1:0")
    job.announce(f"tcp://{listener.local_address}")


async def pull(job: Job) -> None:
    """Receive messages."""
    async with ticking(job):
        with pynng.Pull0() as socket:
            _listen(job, socket)
            await asynchronous.pull(job, socket.arecv)
            await end()


async def push(job: Job) -> None:
    """Send messages."""
    with pynng.Push0(dial=job.endpoints[0]) as socket:
        await asynchronous.push(job, socket.asend)
        await end()


async def reply(job: Job) -> None:
    """Answer each request with itself."""
    with pynng.Rep0() as socket:
        _listen(job, socket)
        await asynchronous.echo(job, socket.arecv, socket.asend)
        await end()


async def request(job: Job) -> None:
    """One request after the other."""
    with pynng.Req0(dial=job.endpoints[0]) as socket:
        await asynchronous.request(job, socket.asend, socket.arecv)
        await end()


async def inproc(job: Job) -> None:
    """Two tasks."""
    with pynng.Pull0(listen="inproc://bench") as receiver, pynng.Push0(dial="inproc://bench") as sender:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(asynchronous.pull, job, receiver.arecv)
            nursery.start_soon(asynchronous.push, job, sender.asend)


PEER = Peer(
    title="pynng on trio",
    run=trio.run,
    module="pynng",
    works={
        Kind.PUSH: (pull, push),
        Kind.REQUEST: (reply, request),
        Kind.INPROC: (inproc,),
        Kind.WAIT: (pull, push),
    },
)
