"""The request-reply broker, by hand: moves requests one way and replies the other.

    python rrbroker.py [frontend] [backend]

The guide's polls two sockets and copies frame by frame. Here each way is a task of three lines, and a message is whole
whatever its envelope. Where one way has to wait, for room in a peer's queue, the other goes on.

Cancelled between its two lines, a task would lose the message in its hands. Here that is the end of the program
anyhow; `triomq.proxy`, which msgqueue uses, does not lose it even then.
"""

import sys

import trio

import triomq


async def move(source: triomq.ROUTER | triomq.DEALER, destination: triomq.ROUTER | triomq.DEALER) -> None:
    async for message in source:
        await destination.send(message)


async def main(frontend: str = "tcp://*:5559", backend: str = "tcp://*:5560") -> None:
    async with (
        triomq.open_context() as ctx,
        ctx.socket(triomq.ROUTER) as clients,
        ctx.socket(triomq.DEALER) as workers,
        trio.open_nursery() as nursery,
    ):
        await clients.bind(frontend)
        await workers.bind(backend)
        nursery.start_soon(move, clients, workers)
        nursery.start_soon(move, workers, clients)


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
