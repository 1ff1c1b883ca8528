"""Simple pirate, the queue: gives each request to the worker that has been idle longest.

    python spqueue.py [frontend] [backend]

For lpclient.py and spworker.py, or the guide's. That a worker has left is noticed when it should get a request, and the
request goes to the next one. A worker that dies with a request in its hands takes the request with it, and the client
asks again.
"""

import math
import sys
from functools import partial

import trio

import triomq

READY = b"\x01"


async def give_out(frontend: triomq.ROUTER, backend: triomq.ROUTER, idle: trio.MemoryReceiveChannel[bytes]) -> None:
    request = None
    async for worker in idle:
        request = request or await frontend.receive()
        try:
            await backend.send([worker, b"", *request])
        except triomq.UnroutableError:
            print(f"Worker {worker.hex()} has left", flush=True)
        else:
            request = None


async def queue(ctx: triomq.Context, frontend_endpoint: str, backend_endpoint: str) -> None:
    """Serve for ever."""
    idle, next_idle = trio.open_memory_channel[bytes](math.inf)  # at most the workers there are
    async with (
        ctx.socket(triomq.ROUTER) as frontend,
        ctx.socket(triomq.ROUTER, router_mandatory=True) as backend,
        trio.open_nursery() as nursery,
    ):
        await frontend.bind(frontend_endpoint)
        await backend.bind(backend_endpoint)
        nursery.start_soon(give_out, frontend, backend, next_idle)
        async for worker, _, *reply in backend:  # the first message of a worker says only that it is there
            idle.send_nowait(worker)
            if reply != [READY]:
                await frontend.send(reply)


async def main(frontend: str = "tcp://*:5555", backend: str = "tcp://*:5556") -> None:
    async with triomq.open_context() as ctx:
        await queue(ctx, frontend, backend)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
