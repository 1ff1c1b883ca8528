"""Freelance, the third model: knows by heartbeats which servers live, and asks one of those.

    python flclient3.py [endpoint ...]

For flserver3.py, or the guide's. A ROUTER has all servers for peers: each has its endpoint for its name, so the client
can address it. Any number of requests may be under way; each is asked again, of the next server, when it takes long.
"""

import itertools
import math
import sys
from collections.abc import Sequence
from functools import partial

import trio

import triomq

PING = 2.0  # seconds between two heartbeats
TTL = 6.0  # seconds after which a silent server is dead
PATIENCE = 1.0  # seconds after which the next server is asked


class Freelance:
    """The servers, as one. Start ``run`` as a task."""

    def __init__(self, ctx: triomq.Context, endpoints: Sequence[str]) -> None:
        self._router = ctx.socket(triomq.ROUTER, linger=0, connect_timeout=1, reconnect_interval_max=1)
        self._expiry = {endpoint.encode(): -math.inf for endpoint in endpoints}  # the next to be asked first
        self._alive = trio.Event()
        self._numbers = itertools.count(1)
        self._waiting: dict[bytes, trio.MemorySendChannel[list[bytes]]] = {}
        for endpoint in endpoints:
            self._router.connect(endpoint)

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._ping)
            async for server, control, *body in self._router:
                if server in self._expiry:
                    self._expiry[server] = trio.current_time() + TTL
                    self._alive.set()
                    self._alive = trio.Event()
                if control in self._waiting:
                    self._waiting.pop(control).send_nowait(body)

    async def _ping(self) -> None:
        while True:
            for server in self._expiry:
                await self._router.send([server, b"PING"])  # dropped, if the server is not connected
            await trio.sleep(PING)

    async def ask(self, *body: bytes) -> list[bytes]:
        """Ask until a server has answered, which may take for ever. Servers may get the same request."""
        number = b"%d" % next(self._numbers)
        sender, answer = trio.open_memory_channel[list[bytes]](1)
        self._waiting[number] = sender
        try:
            while True:
                await self._router.send([await self._next_server(), number, *body])
                with trio.move_on_after(PATIENCE):
                    return await answer.receive()
        finally:
            self._waiting.pop(number, None)

    async def _next_server(self) -> bytes:
        while True:
            for server, expiry in self._expiry.items():
                if expiry > trio.current_time():
                    self._expiry[server] = self._expiry.pop(server)  # to the end: the servers take turns
                    return server
            await self._alive.wait()


async def main(*endpoints: str) -> None:
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        servers = Freelance(ctx, endpoints or ["tcp://localhost:5555"])
        nursery.start_soon(servers.run)
        await servers.ask(b"random name")
        start = trio.current_time()
        for _ in range(1000):
            await servers.ask(b"random name")
        print(f"Average round trip: {1000 * (trio.current_time() - start):.0f} µs", flush=True)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
