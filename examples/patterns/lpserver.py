"""Lazy pirate, the server: echoes, and now and then is slow, or crashes. Start it again when it has crashed.

    python lpserver.py [endpoint] [seconds of work] [seed]

For lpclient.py. The seed decides which request meets which fate.
"""

import random
import sys
from functools import partial

import trio

import triomq


async def serve(ctx: triomq.Context, endpoint: str, work: float = 1.0, dice: random.Random | None = None) -> None:
    """Echo each request after some work. With dice it returns, as if it had crashed, when they say so."""
    async with ctx.socket(triomq.REP) as server:
        await server.bind(endpoint)
        done = 0
        async for request in server:
            fate = dice.randrange(8) if dice and done > 3 else None
            if fate == 0:
                print("Simulating a crash", flush=True)
                return
            if fate == 1:
                print("Simulating CPU overload", flush=True)
                await trio.sleep(3 * work)
            await trio.sleep(work)
            await server.send(request)
            done += 1


async def main(endpoint: str = "tcp://*:5555", work: str = "1", seed: str = "") -> None:
    async with triomq.open_context() as ctx:
        await serve(ctx, endpoint, float(work), random.Random(seed or None))


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
