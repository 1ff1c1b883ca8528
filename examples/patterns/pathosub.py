"""The pathological subscriber: wants one topic of a thousand, and wants to know at once what it is.

    python pathosub.py [endpoint] [topic]

For lvcache.py.
"""

import sys
from functools import partial

import trio

import triomq


async def main(endpoint: str = "tcp://localhost:5558", topic: str = "042") -> None:
    async with triomq.open_context() as ctx, ctx.socket(triomq.SUB, topics=[topic]) as subscriber:
        subscriber.connect(endpoint)
        async for key, value in subscriber:
            print(f"{key.decode()}: {value.decode()}", flush=True)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
