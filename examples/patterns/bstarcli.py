"""Binary star, a client: asks one server, and the other one when there is no answer.

    python bstarcli.py [requests] [endpoint] [endpoint]

For bstarsrv.py, or the guide's. Before it asks the other server it waits as long as that one needs to be sure.
"""

import itertools
import sys
from contextlib import AsyncExitStack
from functools import partial

import lpclient
import trio

import triomq

PATIENCE = 1.0  # seconds for an answer
SETTLE = 2.0  # seconds before the other server is asked: no less than bstar.SILENCE


async def count(ctx: triomq.Context, endpoints: list[str], requests: int, pause: float = 1.0) -> None:
    """Send numbers, and check that each reply is that number."""
    async with AsyncExitStack() as stack:
        servers = itertools.cycle(
            [await stack.enter_async_context(lpclient.connect(ctx, endpoint)) for endpoint in endpoints]
        )
        server = next(servers)
        for number in range(requests):
            reply = None
            while reply is None:
                with trio.move_on_after(PATIENCE):
                    reply = await server.request(b"%d" % number)
                if reply is None:
                    print("No answer, asking the other server", flush=True)
                    await trio.sleep(SETTLE)
                    server = next(servers)
            assert int(reply.text()) == number
            print(f"Server replied OK ({number})", flush=True)
            await trio.sleep(pause)


async def main(requests: str = "1000000", *endpoints: str) -> None:
    async with triomq.open_context() as ctx:
        await count(ctx, list(endpoints) or ["tcp://localhost:5001", "tcp://localhost:5002"], int(requests))


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
