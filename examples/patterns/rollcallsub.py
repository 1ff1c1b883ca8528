"""Roll call, a subscriber: confirms the first hello, and counts what is published then. Start as many as are expected.

    python rollcallsub.py [publisher] [confirmations]

For rollcallpub.py.
"""

import sys
import uuid
from functools import partial

import trio

import triomq

HELLO, END = b"hello", b"end"


async def count(ctx: triomq.Context, endpoint: str, confirmations: str, name: bytes) -> int:
    """Returns: how many updates there were between the hello and the end."""
    async with ctx.socket(triomq.SUB, topics=[b""]) as subscriber, ctx.socket(triomq.REQ) as confirming:
        subscriber.connect(endpoint)
        confirming.connect(confirmations)
        await subscriber.receive()
        await confirming.request(name)
        updates = 0
        async for message in subscriber:
            if message[0] == END:
                break
            updates += message[0] != HELLO
        return updates


async def main(endpoint: str = "tcp://localhost:5561", confirmations: str = "tcp://localhost:5562") -> None:
    async with triomq.open_context() as ctx:
        print(f"Received {await count(ctx, endpoint, confirmations, uuid.uuid4().bytes)} updates", flush=True)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
