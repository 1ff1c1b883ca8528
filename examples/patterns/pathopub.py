"""The pathological publisher: a thousand topics once, then one of them every second, at random.

    python pathopub.py [endpoint] [seconds] [seed]

For lvcache.py; pathosub.py without a cache between them would wait for a quarter of an hour on average.
"""

import random
import sys
from functools import partial

import trio

import triomq


async def publish(ctx: triomq.Context, endpoint: str, dice: random.Random, seconds: float = 1.0) -> None:
    """Publish for ever."""
    async with ctx.socket(triomq.PUB) as publisher:
        await publisher.bind(endpoint)
        await publisher.wait_subscribers(b"")  # the cache wants every topic
        for topic in range(1000):
            await publisher.send([b"%03d" % topic, b"Save Roger"])
        while True:
            await trio.sleep(seconds)
            await publisher.send([b"%03d" % dice.randrange(1000), b"Off with his head!"])


async def main(endpoint: str = "tcp://*:5557", seconds: str = "1", seed: str = "") -> None:
    async with triomq.open_context() as ctx:
        await publish(ctx, endpoint, random.Random(seed or None), float(seconds))


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
