"""Freelance, a server of the third model: its name is the endpoint that clients connect to. Start several.

    python flserver3.py [endpoint] [the endpoint as clients write it]

For flclient3.py, or the guide's.
"""

import sys
from functools import partial

import trio

import triomq


async def serve(ctx: triomq.Context, endpoint: str, name: str, answer: bytes = b"OK") -> None:
    """Serve for ever."""
    async with ctx.socket(triomq.ROUTER, routing_id=name.encode()) as server:
        await server.bind(endpoint)
        async for client, control, *_ in server:
            await server.send([client, b"PONG"] if control == b"PING" else [client, control, answer])


async def main(endpoint: str = "tcp://*:5555", name: str = "tcp://localhost:5555") -> None:
    async with triomq.open_context() as ctx:
        await serve(ctx, endpoint, name)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
