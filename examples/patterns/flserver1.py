"""Freelance, a server of the first model: an echo. Start several, with an endpoint each.

    python flserver1.py [endpoint]

For flclient1.py, or the guide's.
"""

import sys
from functools import partial

import trio

import triomq


async def serve(ctx: triomq.Context, endpoint: str) -> None:
    """Serve for ever."""
    async with ctx.socket(triomq.REP) as server:
        await server.bind(endpoint)
        async for request in server:
            await server.send(request)


async def main(endpoint: str = "tcp://*:5555") -> None:
    async with triomq.open_context() as ctx:
        await serve(ctx, endpoint)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
