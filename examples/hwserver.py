"""Answers every "Hello" with "World": the partner of hwclient.

    python hwserver.py [endpoint]

In trio a socket is a channel, so a server is ``async for``. It runs until Ctrl-C, which cancels whatever it waits in.
"""

import sys

import trio

import triomq


async def main(endpoint: str = "tcp://*:5555") -> None:
    async with triomq.open_context() as ctx, ctx.socket(triomq.REP) as server:
        await server.bind(endpoint)
        async for request in server:
            print(f"Received {request.text()}", flush=True)
            await server.send(b"World")


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
