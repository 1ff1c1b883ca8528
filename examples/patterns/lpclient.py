"""Lazy pirate, the client: asks again when no reply comes in time, and gives up after some tries.

    python lpclient.py [endpoint] [requests] [seconds]

For lpserver.py, and for the queues spqueue.py and ppqueue.py: the client is the same in all three patterns. The guide's
client closes its socket after each silence and opens another one. Here a cancel scope around ``request`` gives the
request up, and the same socket asks again. A late reply to the first try is never taken for the reply to the second.
The socket's heartbeats notice a server that has lost its power, and the socket then makes a new connection.
"""

import sys
from functools import partial

import trio

import triomq


async def ask(client: triomq.REQ, request: triomq.MessageLike, seconds: float = 2.5, tries: int = 3) -> triomq.Message:
    """Ask until there is a reply. The server must be one that may get the same request twice."""
    for _ in range(tries):
        with trio.move_on_after(seconds):
            return await client.request(request)
        print("No reply, asking again", flush=True)
    raise trio.TooSlowError(f"no reply in {tries} × {seconds} s: the server seems to be offline")


def connect(ctx: triomq.Context, endpoint: str) -> triomq.REQ:
    """Make a socket that is back within seconds, whatever has happened to the server."""
    client = ctx.socket(
        triomq.REQ, heartbeat_interval=1, heartbeat_timeout=1, connect_timeout=1, reconnect_interval_max=1
    )
    client.connect(endpoint)
    return client


async def count(ctx: triomq.Context, endpoint: str, requests: int, seconds: float = 2.5, tries: int = 3) -> None:
    """Send numbers, and check that each reply is that number."""
    async with connect(ctx, endpoint) as client:
        for number in range(requests):
            reply = await ask(client, str(number).encode(), seconds, tries)
            assert int(reply.text()) == number
            print(f"Server replied OK ({number})", flush=True)


async def main(endpoint: str = "tcp://localhost:5555", requests: str = "20", seconds: str = "2.5") -> None:
    async with triomq.open_context() as ctx:
        try:
            await count(ctx, endpoint, int(requests), float(seconds))
        except trio.TooSlowError as error:
            sys.exit(f"Giving up: {error}")


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
