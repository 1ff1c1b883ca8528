"""Simple pirate, a worker: says that it is ready, then answers what the queue gives it. Start several.

    python spworker.py [endpoint] [seconds of work]

For spqueue.py, or the guide's. Each reply also says that the worker is free again. This worker cannot tell a queue that
has crashed from one that has no work. ppworker.py can.
"""

import sys
from functools import partial

import trio

import triomq

READY = b"\x01"


async def work(ctx: triomq.Context, endpoint: str, seconds: float = 1.0) -> None:
    """Echo requests for ever, each after some seconds of work."""
    async with ctx.socket(triomq.REQ) as worker:
        worker.connect(endpoint)
        client, _, *body = await worker.request(READY)
        while True:
            print(f"Working on {body}", flush=True)
            await trio.sleep(seconds)
            client, _, *body = await worker.request([client, b"", *body])


async def main(endpoint: str = "tcp://localhost:5556", seconds: str = "1") -> None:
    async with triomq.open_context() as ctx:
        await work(ctx, endpoint, float(seconds))


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
