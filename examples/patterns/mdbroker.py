"""Majordomo, the broker: knows which workers offer which service, and gives each request to one of them.

    python mdbroker.py [endpoint]

For mdclient.py and mdworker.py, or the guide's: MDP/0.1 (RFC 7), with ``mmi.service`` (RFC 8). Clients and workers use
the same socket. An idle worker is dead when it sends no heartbeats; a busy one, when its connection has ended, since a
worker that works need not send any. Its request is lost with it, and the client asks again.
"""

import sys
from collections import defaultdict, deque
from dataclasses import dataclass, field
from functools import partial

import trio
from mdp import CLIENT, INTERVAL, LIVENESS, WORKER, Command

import triomq

MOST_WAITING = 1000  # requests for one service; the oldest make way, and their clients ask again


@dataclass
class Service:
    requests: deque[list[bytes]] = field(default_factory=lambda: deque(maxlen=MOST_WAITING))
    idle: dict[bytes, float] = field(default_factory=dict)  # workers and when they expire, longest idle first


class Broker:
    def __init__(self, router: triomq.ROUTER) -> None:
        self._router = router
        self._services: defaultdict[bytes, Service] = defaultdict(Service)
        self._offers: dict[bytes, bytes] = {}  # the service of each worker

    async def serve(self) -> None:
        async for sender, *message in self._router:
            match message:
                case [b"", header, b"mmi.service", *_, name] if header == CLIENT:
                    code = b"200" if name in self._offers.values() else b"404"
                    await self._router.send([sender, b"", CLIENT, b"mmi.service", code])
                case [b"", header, service, *_] if header == CLIENT and service.startswith(b"mmi."):
                    await self._router.send([sender, b"", CLIENT, service, b"501"])
                case [b"", header, service, *body] if header == CLIENT:
                    self._services[service].requests.append([sender, b"", *body])
                    await self._give_out(service)
                case [b"", header, command, *rest] if header == WORKER:
                    await self._worker(sender, command, rest)

    async def _worker(self, worker: bytes, command: bytes, rest: list[bytes]) -> None:
        service = self._offers.get(worker)
        match command, rest:
            case Command.READY, [name] if service is None and not name.startswith(b"mmi."):
                self._offers[worker] = name
                await self._is_idle(worker, name)
            case Command.REPLY, [client, b"", *body] if service is not None:
                await self._router.send([client, b"", CLIENT, service, *body])
                await self._is_idle(worker, service)
            case Command.HEARTBEAT, [] if service is not None:
                if worker in self._services[service].idle:
                    self._services[service].idle[worker] = trio.current_time() + INTERVAL * LIVENESS
            case Command.DISCONNECT, []:
                self._forget(worker)
            case _:  # of one that we do not know, or that does not know what it says: it may register again
                self._forget(worker)
                await self._tell(worker, Command.DISCONNECT)

    async def _is_idle(self, worker: bytes, service: bytes) -> None:
        self._services[service].idle[worker] = trio.current_time() + INTERVAL * LIVENESS
        await self._give_out(service)

    async def _give_out(self, name: bytes) -> None:
        service = self._services[name]
        while service.requests and service.idle:
            worker = next(iter(service.idle))
            del service.idle[worker]
            await self._tell(worker, Command.REQUEST, *service.requests.popleft())

    async def _tell(self, worker: bytes, command: bytes, *rest: bytes) -> None:
        await self._router.send([worker, b"", WORKER, command, *rest])

    def _forget(self, worker: bytes) -> None:
        if (service := self._offers.pop(worker, None)) is not None:
            self._services[service].idle.pop(worker, None)

    async def beat(self) -> None:
        while True:
            await trio.sleep(INTERVAL)
            connected, now = {peer.routing_id for peer in self._router.peers}, trio.current_time()
            for worker, name in list(self._offers.items()):
                expiry = self._services[name].idle.get(worker)
                if worker not in connected or (expiry is not None and expiry <= now):
                    self._forget(worker)
                elif expiry is not None:
                    await self._tell(worker, Command.HEARTBEAT)
            for name in [name for name, service in self._services.items() if not service.requests and not service.idle]:
                del self._services[name]  # anybody can think of names


async def broker(ctx: triomq.Context, endpoint: str) -> None:
    """Serve for ever."""
    async with (
        ctx.socket(triomq.ROUTER, heartbeat_interval=INTERVAL, heartbeat_timeout=INTERVAL * LIVENESS) as router,
        trio.open_nursery() as nursery,
    ):
        await router.bind(endpoint)
        it = Broker(router)
        nursery.start_soon(it.beat)
        await it.serve()


async def main(endpoint: str = "tcp://*:5555") -> None:
    async with triomq.open_context() as ctx:
        await broker(ctx, endpoint)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
