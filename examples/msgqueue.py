"""The request-reply broker again, with the proxy that comes with the library.

    python msgqueue.py [frontend] [backend]

``triomq.proxy`` takes a message only when the other side has room for it, so clients that ask too much wait in their
own processes. It ends when it is cancelled, and loses nothing. Run as a task, ``await nursery.start(triomq.proxy, …)``
gives a handle to pause it and to see what it has moved.
"""

import sys

import trio

import triomq


async def main(frontend: str = "tcp://*:5559", backend: str = "tcp://*:5560") -> None:
    async with (
        triomq.open_context() as ctx,
        ctx.socket(triomq.ROUTER) as clients,
        ctx.socket(triomq.DEALER) as workers,
    ):
        await clients.bind(frontend)
        await workers.bind(backend)
        await triomq.proxy(clients, workers)


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
