"""Freelance, a server of the second model: answers OK, with the number of the request. Start several.

    python flserver2.py [endpoint]

For flclient2.py, or the guide's.
"""

import sys
from functools import partial

import trio

import triomq


async def serve(ctx: triomq.Context, endpoint: str, answer: bytes = b"OK") -> None:
    """Serve for ever."""
    async with ctx.socket(triomq.REP) as server:
        await server.bind(endpoint)
        async for number, *_ in server:
            await server.send([number, answer])


async def main(endpoint: str = "tcp://*:5555") -> None:
    async with triomq.open_context() as ctx:
        await serve(ctx, endpoint)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
