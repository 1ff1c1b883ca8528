"""Publishes made-up weather for made-up places, as fast as it can: the partner of wuclient, msreader and wuproxy.

    python wuserver.py [endpoint] [low-high]

Each update is one frame, "zipcode temperature humidity"; low and high bound the zipcodes. A PUB never waits, yet this
endless loop does not starve the other tasks: every 64th ``send`` lets them have their turn.
"""

import random
import sys

import trio

import triomq


async def main(endpoint: str = "tcp://*:5556", zipcodes: str = "0-99999") -> None:
    low, high = map(int, zipcodes.split("-"))
    async with triomq.open_context() as ctx, ctx.socket(triomq.PUB) as publisher:
        await publisher.bind(endpoint)
        while True:
            place, temperature = random.randint(low, high), random.randint(-80, 135)
            await publisher.send(f"{place:05} {temperature} {random.randint(10, 60)}".encode())


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
