"""Counts what syncpub publishes, and must count every message.

    python syncsub.py [publisher] [sync service]

It waits until its subscription is in force, reports that it is there, and then counts up to the end. So it misses
nothing of a publisher that only counts reports, as the guide's does, and it needs no sleep. A subscriber whose queue is
full stops reading, and the rest waits at the publisher's.
"""

import sys

import trio

import triomq


async def main(publisher: str = "tcp://localhost:5561", sync: str = "tcp://localhost:5562") -> None:
    async with (
        triomq.open_context() as ctx,
        ctx.socket(triomq.SUB, topics=[b""]) as subscriber,
        ctx.socket(triomq.REQ) as client,
    ):
        subscriber.connect(publisher)
        client.connect(sync)
        await subscriber.wait_subscribed()
        await client.request(b"")

        updates = 0
        while bytes(await subscriber.receive()) != b"END":
            updates += 1
    print(f"Received {updates} updates")


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
