"""A run with a bit of everything, to be compared with itself; as a program it prints its digest."""

from __future__ import annotations

import sys

import trio

import triomq
from triomq.testing import VirtualNetwork, run


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


async def busy(net: VirtualNetwork) -> str:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "server", publisher)
        for name in "w", "server":
            nursery.start_soon(net.run_on, name, worker)
        for number in range(5):
            nursery.start_soon(net.run_on, f"s{number}", subscriber)
            nursery.start_soon(net.run_on, f"c{number}", client)
        await trio.sleep(3)
        net.partition({"s1", "s2", "c1"}, {"server"})
        net.crash("w")
        await trio.sleep(4)
        net.heal()
        net.cut("s3", "server")
        net.pause("s4")
        await trio.sleep(5)
        net.resume("s4")
        net.restart("w")
        net.crash("server", how="process")
        await trio.sleep(1)
        net.restart("server")
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    return net.digest()


def digest(seed: int) -> str:
    return run(busy, seed=seed, latency=0.01, jitter=0.02, loss=0.05, fragmentation=0.2, bandwidth=100_000.0)


if __name__ == "__main__":
    print(digest(int(sys.argv[1])))
