"""A server that works on five requests at a time; hwclient is its client.

    python mtserver.py [endpoint] [seconds of work]

The guide's workers are threads, because there a call that waits blocks its thread. In trio they are tasks: a thousand
of them are cheap, and none can be interrupted where it does not ``await``.

Tasks share one processor. Where the work computes rather than waits, let the worker call
``await trio.to_thread.run_sync(compute, request)`` if it releases the GIL, or make the workers processes of their own:
bind the backend to ipc:// or tcp:// instead of inproc://, and nothing else changes; that is rrworker.
"""

import sys

import trio

import triomq

WORKERS = "inproc://workers"


async def serve(ctx: triomq.Context, name: str, work: float) -> None:
    async with ctx.socket(triomq.REP) as worker:
        worker.connect(WORKERS)
        async for request in worker:
            print(f"{name} received request: [{request.text()}]", flush=True)
            await trio.sleep(work)
            await worker.send(b"World")


async def main(endpoint: str = "tcp://*:5555", work: str = "1") -> None:
    async with (
        triomq.open_context() as ctx,
        ctx.socket(triomq.ROUTER) as clients,
        ctx.socket(triomq.DEALER) as workers,
        trio.open_nursery() as nursery,
    ):
        await clients.bind(endpoint)
        await workers.bind(WORKERS)
        for number in range(1, 6):
            nursery.start_soon(serve, ctx, f"worker-{number}", float(work))
        await triomq.proxy(clients, workers)


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
