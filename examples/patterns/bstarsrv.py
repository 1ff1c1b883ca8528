"""Binary star, a server: an echo that one of two servers offers at a time.

    python bstarsrv.py primary|backup [frontend] [local] [remote]

For bstarcli.py; its peer may be the guide's. The endpoints of the backup are the guide's 5002, 5004 and 5003; those of
the primary 5001, 5003 and 5004.
"""

import sys
from functools import partial

import bstar
import trio

import triomq


async def serve(ctx: triomq.Context, frontend: str, local: str, remote: str, *, primary: bool) -> None:
    """Serve until both servers are active, or both passive."""
    star = bstar.BinaryStar(primary=primary)
    async with ctx.socket(triomq.ROUTER) as router, trio.open_nursery() as nursery:
        nursery.start_soon(star.run, ctx, local, remote)
        await router.bind(frontend)
        async for request in router:
            if star.accept():
                await router.send(request)


async def main(role: str, *endpoints: str) -> None:
    usual = {
        "primary": ("tcp://*:5001", "tcp://*:5003", "tcp://localhost:5004"),
        "backup": ("tcp://*:5002", "tcp://*:5004", "tcp://localhost:5003"),
    }[role]
    frontend, local, remote = endpoints or usual
    async with triomq.open_context() as ctx:
        await serve(ctx, frontend, local, remote, primary=role == "primary")


if __name__ == "__main__":
    try:
        trio.run(partial(main, *(sys.argv[1:] or ["primary"])))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
