"""A multithreaded service whose work keeps a processor busy: examples/mtserver.py, with a thread for each request.

    python mtserver2.py [endpoint] [rounds]

For examples/hwclient.py. Tasks have the sockets, and threads the work: ``trio.to_thread`` needs no socket in a thread,
and so none is ever used by two. Threads help if the work releases the GIL, as hashing does; if not, use processes.py.
"""

import hashlib
import sys
from functools import partial

import trio

import triomq

WORKERS = "inproc://workers"


def compute(request: bytes, rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", request, b"salt", rounds).hex().encode()


async def serve(ctx: triomq.Context, rounds: int) -> None:
    async with ctx.socket(triomq.REP) as worker:
        worker.connect(WORKERS)
        async for request in worker:
            await worker.send(await trio.to_thread.run_sync(compute, bytes(request), rounds))


async def main(endpoint: str = "tcp://*:5555", rounds: str = "100000") -> None:
    async with (
        triomq.open_context() as ctx,
        ctx.socket(triomq.ROUTER) as clients,
        ctx.socket(triomq.DEALER) as workers,
        trio.open_nursery() as nursery,
    ):
        await clients.bind(endpoint)
        await workers.bind(WORKERS)
        for _ in range(5):
            nursery.start_soon(serve, ctx, int(rounds))
        await triomq.proxy(clients, workers)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
