"""Publishes a million messages, once all of its ten subscribers are there; each of them gets every one.

    python syncpub.py [endpoint] [sync service] [subscribers] [updates]

The subscribers report over REQ/REP, as in the guide. That a subscriber has reported does not mean that its subscription
has arrived, over another connection: the guide lets it sleep a second and hopes. ``wait_subscribers`` knows. (It would
do alone; the dialogue stays so that syncsub may be the guide's, in any language.)

The HWM holds a whole run for each subscriber, or the slow ones would miss updates. For the same reason the socket
lingers for as long as it takes.
"""

import math
import sys

import trio

import triomq


async def main(
    endpoint: str = "tcp://*:5561", sync: str = "tcp://*:5562", subscribers: str = "10", updates: str = "1000000"
) -> None:
    async with (
        triomq.open_context() as ctx,
        ctx.socket(triomq.PUB, send_hwm=1_100_000, linger=math.inf) as publisher,
        ctx.socket(triomq.REP) as service,
    ):
        await publisher.bind(endpoint)
        await service.bind(sync)

        print("Waiting for subscribers", flush=True)
        for _ in range(int(subscribers)):
            await service.receive()
            await service.send(b"")
        await publisher.wait_subscribers(b"Rhubarb", int(subscribers))

        print("Broadcasting messages", flush=True)
        for _ in range(int(updates)):
            await publisher.send(b"Rhubarb")
        await publisher.send(b"END")


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
