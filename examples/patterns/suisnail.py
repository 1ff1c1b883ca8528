"""Suicidal snail: a subscriber that cannot keep up ends itself, instead of working on news that are old.

    python suisnail.py [endpoint] [seconds of work on each]

A publisher and a subscriber, in one program as in the guide. Each message is the time at which it was published, and
the subscriber looks how old it is. The two may run on two machines if their clocks agree. If only the newest message
counts, you need no snail: give the SUB ``conflate=True``.
"""

import sys
import time
from collections.abc import Callable
from functools import partial

import trio

import triomq

LATEST = 1.0  # seconds after which a message is too old

Clock = Callable[[], float]


async def publish(ctx: triomq.Context, endpoint: str, clock: Clock = time.time, pause: float = 0.001) -> None:
    """Publish the time, in milliseconds, again and again, for ever."""
    async with ctx.socket(triomq.PUB) as publisher:
        await publisher.bind(endpoint)
        while True:
            await publisher.send(b"%d" % (clock() * 1000))
            await trio.sleep(pause)


async def crawl(ctx: triomq.Context, endpoint: str, work: float, clock: Clock = time.time) -> None:
    """Work on each message.

    Raises:
      trio.TooSlowError: a message was too old.
    """
    async with ctx.socket(triomq.SUB, topics=[b""]) as subscriber:
        subscriber.connect(endpoint)
        async for message in subscriber:
            age = clock() - int(message.text()) / 1000
            if age > LATEST:
                raise trio.TooSlowError(f"this subscriber cannot keep up: a message is {age:.1f} s old")
            await trio.sleep(work)


async def main(endpoint: str = "tcp://127.0.0.1:5556", work: str = "0.002") -> None:
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        nursery.start_soon(publish, ctx, endpoint)
        try:
            await crawl(ctx, endpoint, float(work))
        except trio.TooSlowError as error:
            print(f"Aborting: {error}", flush=True)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
