"""Paranoid pirate, the queue: as the simple pirate's, and it knows by heartbeats which workers live.

    python ppqueue.py [frontend] [backend]

For lpclient.py and ppworker.py, or the guide's: the heartbeats here are messages of the pattern's own protocol (RFC 6).
Between programs that all speak ZMTP 3.1, ``heartbeat_interval=1`` at both ends does the same without a line of code.
"""

import sys
from functools import partial

import trio

import triomq

READY, HEARTBEAT = b"\x01", b"\x02"
INTERVAL = 1.0  # seconds between two heartbeats
LIVENESS = 3  # a worker that was silent for that many is dead


class IdleWorkers:
    """Those who can be given work, the one that has been idle longest first."""

    def __init__(self) -> None:
        self._expiry: dict[bytes, float] = {}
        self._takers = trio.lowlevel.ParkingLot()

    def add(self, worker: bytes) -> None:
        self._expiry.pop(worker, None)  # it goes to the end
        self._expiry[worker] = trio.current_time() + INTERVAL * LIVENESS
        self._takers.unpark()

    def alive(self, worker: bytes) -> None:
        if worker in self._expiry:
            self._expiry[worker] = trio.current_time() + INTERVAL * LIVENESS

    def living(self) -> list[bytes]:
        """Forget who has expired. Returns: the others."""
        now = trio.current_time()
        self._expiry = {worker: expiry for worker, expiry in self._expiry.items() if expiry > now}
        return list(self._expiry)

    async def take(self) -> bytes:
        while not (workers := self.living()):
            await self._takers.park()
        del self._expiry[workers[0]]
        return workers[0]


async def beat(backend: triomq.ROUTER, idle: IdleWorkers) -> None:
    while True:
        for worker in idle.living():
            await backend.send([worker, HEARTBEAT])
        await trio.sleep(INTERVAL)


async def give_out(frontend: triomq.ROUTER, backend: triomq.ROUTER, idle: IdleWorkers) -> None:
    async for request in frontend:
        await backend.send([await idle.take(), *request])


async def queue(ctx: triomq.Context, frontend_endpoint: str, backend_endpoint: str) -> None:
    """Serve for ever."""
    idle = IdleWorkers()
    async with (
        ctx.socket(triomq.ROUTER) as frontend,
        ctx.socket(triomq.ROUTER) as backend,
        trio.open_nursery() as nursery,
    ):
        await frontend.bind(frontend_endpoint)
        await backend.bind(backend_endpoint)
        nursery.start_soon(beat, backend, idle)
        nursery.start_soon(give_out, frontend, backend, idle)
        async for worker, *message in backend:
            if message == [HEARTBEAT]:
                idle.alive(worker)
                continue
            idle.add(worker)
            if message != [READY]:
                await frontend.send(message)


async def main(frontend: str = "tcp://*:5555", backend: str = "tcp://*:5556") -> None:
    async with triomq.open_context() as ctx:
        await queue(ctx, frontend, backend)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
