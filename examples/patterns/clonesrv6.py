"""Clone, a server: one of a pair (bstar.py) that collect updates, number them, and publish them.

    python clonesrv6.py primary|backup [host of the peer] [port] [the peer's] [port for our state] [the peer's]

For clonecli6.py, or the guide's client of the sixth model (RFC 12). Its peer may be the guide's server. Clients send
each update to both servers. The passive one keeps it until the active one has published it: what died with the active
server is published when the passive one takes over.
"""

import sys
from collections.abc import Iterator
from functools import partial

import trio
from bstar import BinaryStar, State
from clone import BEAT, HUGZ, ICANHAZ, KTHXBAI, Hashmap, Server, Update, follow

import triomq

KEPT = 60.0  # seconds for which a passive server remembers what clients want, and what its peer has published


class CloneServer:
    def __init__(self, star: BinaryStar, publisher: triomq.PUB) -> None:
        self.values = Hashmap()
        self._star, self._publisher = star, publisher
        self._wanted: dict[bytes, tuple[float, Update]] = {}  # by uuid, since when: not published yet
        self._published: dict[bytes, float] = {}  # by uuid, since when: by the peer, before we were asked

    def publish(self, update: Update) -> None:
        update = update._replace(sequence=self.values.sequence + 1)
        self.values.store(update)
        self._publisher.send_nowait(update.frames())

    async def collect(self, collector: triomq.SUB) -> None:
        async for message in collector:
            try:
                update = Update.parse(message)
            except ValueError:
                continue  # what a client makes up ends no server
            if update.key in (HUGZ, KTHXBAI):
                continue
            if self._star.state is State.ACTIVE:
                self.take_over()
                self.publish(update)
            elif not self._published.pop(update.uuid, None):
                self._wanted[update.uuid] = trio.current_time(), update

    def take_over(self) -> None:
        """Being active, publish what the peer has not."""
        for _, update in self._wanted.values():
            self.publish(update)
        self._wanted.clear()
        self._published.clear()

    async def answer(self, snapshots: triomq.ROUTER) -> None:
        async for client, request, *rest in snapshots:
            if request == ICANHAZ and self._star.accept():
                self.take_over()
                for update in list(self.snapshot(b"".join(rest[:1]))):
                    await snapshots.send([client, *update.frames()])

    def snapshot(self, subtree: bytes) -> Iterator[Update]:
        for key, value in self.values.items():
            if key.startswith(subtree):
                left = max(1, self.values.expiry[key] - trio.current_time()) if key in self.values.expiry else 0
                yield Update(key, value, ttl=left)
        yield Update(KTHXBAI, subtree, self.values.sequence)

    async def beat(self) -> None:
        """Hug the clients; being active, let go what has expired; forget what is too old to matter."""
        while True:
            now = trio.current_time()
            if self._star.state is State.ACTIVE:
                self.take_over()
                for key in [key for key, expiry in self.values.expiry.items() if expiry <= now]:
                    self.publish(Update(key))
            self._publisher.send_nowait(Update(HUGZ, sequence=self.values.sequence).frames())
            self._wanted = {uuid: it for uuid, it in self._wanted.items() if it[0] > now - KEPT}
            self._published = {uuid: since for uuid, since in self._published.items() if since > now - KEPT}
            await trio.sleep(BEAT)

    async def copy(self, ctx: triomq.Context, peer: Server) -> None:
        """Being passive, keep the values equal to the peer's."""
        await self._star.wait(State.PASSIVE)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._copy, ctx, peer)
            await self._star.wait(State.ACTIVE)
            nursery.cancel_scope.cancel()

    async def _copy(self, ctx: triomq.Context, peer: Server) -> None:
        while True:
            await follow(ctx, peer, b"", self._replace, self._peer_published)

    def _replace(self, values: Hashmap) -> None:
        self.values = values
        self._wanted.clear()  # the peer has been told as well, and its snapshot is newer
        self._published.clear()

    def _peer_published(self, update: Update) -> None:
        if not self._wanted.pop(update.uuid, None):
            self._published[update.uuid] = trio.current_time()


async def serve(ctx: triomq.Context, here: Server, peer: Server, states: tuple[str, str], *, primary: bool) -> None:
    """Serve until both servers are active, or both passive. ``states``: our endpoint for that, and the peer's."""
    star = BinaryStar(primary=primary)
    async with (
        ctx.socket(triomq.PUB) as publisher,
        ctx.socket(triomq.SUB, topics=[b""]) as collector,
        ctx.socket(triomq.ROUTER, send_hwm=0) as snapshots,
        trio.open_nursery() as nursery,
    ):
        server = CloneServer(star, publisher)
        await publisher.bind(here.updates)
        await collector.bind(here.collector)
        await snapshots.bind(here.snapshots)
        nursery.start_soon(star.run, ctx, *states)
        nursery.start_soon(server.collect, collector)
        nursery.start_soon(server.answer, snapshots)
        nursery.start_soon(server.beat)
        nursery.start_soon(server.copy, ctx, peer)


async def main(role: str = "primary", peer: str = "localhost", *ports: str) -> None:
    usual = {"primary": (5556, 5566, 5003, 5004), "backup": (5566, 5556, 5004, 5003)}[role]
    port, peer_port, state, peer_state = map(int, ports) if ports else usual
    states = f"tcp://*:{state}", f"tcp://{peer}:{peer_state}"
    async with triomq.open_context() as ctx:
        await serve(ctx, Server.at("*", port), Server.at(peer, peer_port), states, primary=role == "primary")


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
