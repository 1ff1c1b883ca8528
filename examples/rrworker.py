"""A worker behind the broker: connects to its backend, and is a server all the same.

    python rrworker.py [broker] [seconds of work]

Start as many as you like, and stop them when you like. One that is stopped while it works takes its request with it,
as in the guide: the client of that request waits until it gives up by itself.
"""

import sys

import trio

import triomq


async def main(broker: str = "tcp://localhost:5560", work: str = "1") -> None:
    async with triomq.open_context() as ctx, ctx.socket(triomq.REP) as worker:
        worker.connect(broker)
        async for request in worker:
            print(f"Received request [{request.text()}]", flush=True)
            await trio.sleep(float(work))
            await worker.send(b"World")


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
