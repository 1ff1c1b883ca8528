"""A run with a bit of everything, to be compared with itself; as a program it prints fingerprints of it."""

from __future__ import annotations

import hashlib
import sys

import attrs
import trio

import triomq
from triomq.testing import Happening, VirtualNetwork, run


async def publisher(ctx: triomq.Context) -> None:
    pub = ctx.socket(triomq.PUB)
    await pub.bind("tcp://*:5555")
    for number in range(200):
        await pub.send([b"topic", b"%d" % number])
        await trio.sleep(0.1)


async def subscriber(ctx: triomq.Context) -> None:
    sub = ctx.socket(triomq.SUB, topics=["top"], heartbeat_interval=1, heartbeat_timeout=2)
    sub.connect("tcp://server:5555")
    async for _ in sub:
        await trio.sleep(0.01)


async def worker(ctx: triomq.Context) -> None:
    rep = ctx.socket(triomq.REP)
    await rep.bind("tcp://*:6666")
    while True:
        await rep.send(await rep.receive())


async def client(ctx: triomq.Context) -> None:
    req = ctx.socket(triomq.REQ)
    for name in "server", "w":
        req.connect(f"tcp://{name}:6666")
    for number in range(50):
        with trio.move_on_after(1):
            await req.request(b"%d" % number)


async def broker(ctx: triomq.Context) -> None:
    """Two sockets of one context, and a connection inside the host."""
    router, pair, other = ctx.socket(triomq.ROUTER), ctx.socket(triomq.PAIR), ctx.socket(triomq.PAIR)
    await router.bind("tcp://*:7777")
    other.connect(await pair.bind("ipc://inside"))
    async for routing_id, *frames in router:
        await pair.send(frames)
        await router.send([routing_id, *await other.receive()])


async def dealer(ctx: triomq.Context) -> None:
    sockets = [ctx.socket(triomq.DEALER, hwm=2) for _ in range(3)]
    async with trio.open_nursery() as nursery:
        for socket in sockets:
            socket.connect("tcp://broker:7777")
            nursery.start_soon(_ask, socket)


async def _ask(socket: triomq.DEALER) -> None:
    for number in range(60):
        with trio.move_on_after(0.2):
            await socket.send([b"", b"%d" % number, bytes(200)])
            await socket.receive()


async def busy(net: VirtualNetwork) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "server", publisher)
        for name in "w", "server":
            nursery.start_soon(net.run_on, name, worker)
        for number in range(5):
            nursery.start_soon(net.run_on, f"s{number}", subscriber)
            nursery.start_soon(net.run_on, f"c{number}", client)
        nursery.start_soon(net.run_on, "broker", broker)
        nursery.start_soon(net.run_on, "d", dealer)
        await trio.sleep(3)
        net.partition({"s1", "s2", "c1"}, {"server"})
        net.crash("w")
        await trio.sleep(4)
        net.heal()
        net.cut("s3", "server")
        net.cut("d", "broker", "black hole")
        net.pause("s4")
        await trio.sleep(5)
        net.resume("s4")
        net.restart("w")
        net.crash("server", how="process")
        await trio.sleep(1)
        net.restart("server")
        await trio.sleep(10)
        nursery.cancel_scope.cancel()


@attrs.frozen
class Run:
    """What must be equal for equal seeds: every happening with its octets, and every diagram."""

    happenings: list[Happening]
    digest: str
    trace: str
    text: str
    picture: str

    def fingerprints(self) -> list[str]:
        """What is compared between processes, a line each."""
        parts = [self.trace, repr(self.happenings), self.text, self.picture]
        return [self.digest, *(hashlib.sha256(part.encode()).hexdigest() for part in parts)]


def busy_run(seed: int) -> Run:
    async def main(net: VirtualNetwork) -> Run:
        await busy(net)
        diagram = net.diagram()
        return Run(list(net.recorder.events), net.digest(), net.trace(), diagram.text(), diagram.svg())

    return run(main, seed=seed, latency=0.01, jitter=0.02, loss=0.05, fragmentation=0.2, bandwidth=100_000.0)


if __name__ == "__main__":
    print("\n".join(busy_run(int(sys.argv[1])).fingerprints()))
