"""Roll call, the publisher: says hello until every subscriber has confirmed that it hears, and then publishes.

    python rollcallpub.py [publisher] [confirmations] [subscribers] [updates]

For rollcallsub.py. ``wait_subscribers`` (examples/syncpub.py) sees who is subscribed at this socket. A roll call also
works through brokers and proxies: what it proves is that a message of this publisher has arrived at each subscriber.
"""

import math
import sys
from functools import partial

import trio

import triomq

HELLO, DATA, END = b"hello", b"data", b"end"


async def call_the_roll(publisher: triomq.PUB, confirmations: triomq.REP, subscribers: int) -> None:
    """Wait until so many subscribers, each with a name of its own, hear the publisher."""

    async def say_hello() -> None:
        while True:
            await publisher.send(HELLO)
            await trio.sleep(0.1)

    present: set[bytes] = set()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(say_hello)
        while len(present) < subscribers:
            present.add(bytes(await confirmations.receive()))
            await confirmations.send(b"")
        nursery.cancel_scope.cancel()


async def publish(ctx: triomq.Context, endpoint: str, confirmations: str, subscribers: int, updates: int) -> None:
    async with (
        ctx.socket(triomq.PUB, send_hwm=0, linger=math.inf) as publisher,  # all is for everybody
        ctx.socket(triomq.REP) as confirming,
    ):
        await publisher.bind(endpoint)
        await confirming.bind(confirmations)
        await call_the_roll(publisher, confirming, subscribers)
        print("All are here", flush=True)
        for number in range(updates):
            await publisher.send([DATA, b"%d" % number])
        await publisher.send(END)


async def main(
    endpoint: str = "tcp://*:5561",
    confirmations: str = "tcp://*:5562",
    subscribers: str = "3",
    updates: str = "100000",
) -> None:
    async with triomq.open_context() as ctx:
        await publish(ctx, endpoint, confirmations, int(subscribers), int(updates))


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
