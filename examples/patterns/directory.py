"""Discovery: services tell a directory where they are, and clients follow what it says. One endpoint is well known.

    python directory.py [endpoint]

Use ``offer`` in a program that binds, and ``follow`` in one that connects. An offer holds for some seconds and is made
again and again, so what has died is forgotten. While the directory is away, everybody keeps what they have.
"""

import sys
from collections import defaultdict
from functools import partial

import lpclient
import trio

import triomq

OFFER, FIND = b"offer", b"find"
TTL = 3.0  # seconds for which an offer holds


async def serve(ctx: triomq.Context, endpoint: str) -> None:
    """Serve for ever."""
    offers: defaultdict[bytes, dict[bytes, float]] = defaultdict(dict)
    async with ctx.socket(triomq.REP) as server:
        await server.bind(endpoint)
        async for request in server:
            now = trio.current_time()
            match request:
                case (command, service, where) if command == OFFER:
                    offers[service][where] = now + TTL
                    await server.send(b"")
                case (command, service) if command == FIND:
                    living = {where: expiry for where, expiry in offers.pop(service, {}).items() if expiry > now}
                    if living:
                        offers[service] = living
                    await server.send([service, *living])
                case _:
                    await server.send(b"what?")


async def offer(ctx: triomq.Context, directory: str, service: str, endpoint: str) -> None:
    """Tell the directory, again and again, that a service is at an endpoint, as others can reach it."""
    async with lpclient.connect(ctx, directory) as client:
        while True:
            with trio.move_on_after(TTL / 3):
                await client.request([OFFER, service.encode(), endpoint.encode()])
            await trio.sleep(TTL / 3)


async def follow(ctx: triomq.Context, directory: str, service: str, socket: triomq.Socket) -> None:
    """Keep a socket connected to where a service is."""
    connected: set[str] = set()
    async with lpclient.connect(ctx, directory) as client:
        while True:
            with trio.move_on_after(TTL / 3):
                _, *endpoints = await client.request([FIND, service.encode()])
                found = {endpoint.decode() for endpoint in endpoints}
                for endpoint in found - connected:
                    socket.connect(endpoint)
                for endpoint in connected - found:
                    socket.disconnect(endpoint)
                connected = found
            await trio.sleep(TTL / 3)


async def main(endpoint: str = "tcp://*:6000") -> None:
    async with triomq.open_context() as ctx:
        await serve(ctx, endpoint)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
