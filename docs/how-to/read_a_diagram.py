"""The run on the page "Read a diagram". Run this file to draw the picture of that page again."""

from __future__ import annotations

from pathlib import Path

import trio

import triomq
from triomq.testing import Diagram, VirtualNetwork, run


async def collect(ctx: triomq.Context) -> None:
    pull = ctx.socket(triomq.PULL)
    await pull.bind("tcp://*:5555")
    async for _ in pull:
        pass


async def weather(net: VirtualNetwork) -> Diagram:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "hub", collect)
        async with net.open_context("north") as north, net.open_context("south") as south:
            sensors = [ctx.socket(triomq.PUSH, reconnect_interval=0.3, linger=0) for ctx in (north, south)]
            for sensor in sensors:
                await trio.sleep(0.01)
                sensor.connect("tcp://hub:5555")
                await sensor.send(b"4 C")
            await trio.sleep(0.5)

            split = net.partition("south", ["hub", "north"])
            for sensor in sensors:
                await sensor.send(b"5 C")
            await trio.sleep(0.1)
            net.heal(split)
            await trio.sleep(0.5)

            net.crash("hub", how="process")
            await trio.sleep(1)
            await sensors[0].send(b"6 C")
            net.restart("hub")
            await trio.sleep(3600)

            await sensors[1].send(b"7 C")
            await trio.sleep(0.1)
            diagram = net.diagram(hosts=["north", "hub", "south"], title="weather, seed 2")
        nursery.cancel_scope.cancel()
    return diagram


if __name__ == "__main__":
    drawn = run(weather, seed=2)
    drawn.save(Path(__file__).with_name("weather.svg"))
    print(drawn)
