"""Publishes in envelopes of three frames: the key, the publisher's address, the data. Hears what subscribers answer.

    python psenvpub3.py [endpoint] [endpoint for answers] [that, as others reach it]

For psenvsub3.py. The key alone decides who receives a message. The address behind it tells subscribers where to answer,
whichever of many publishers it was, and through however many proxies the message came.
"""

import sys
from functools import partial

import trio

import triomq


async def publish(ctx: triomq.Context, endpoint: str, answers: str, address: str, pause: float = 1.0) -> None:
    """Publish for ever, and print the answers."""
    async with (
        ctx.socket(triomq.PUB) as publisher,
        ctx.socket(triomq.PULL) as answered,
        trio.open_nursery() as nursery,
    ):
        await publisher.bind(endpoint)
        await answered.bind(answers)
        nursery.start_soon(print_all, answered)
        while True:
            await publisher.send([b"news", address.encode(), b"It rains"])
            await trio.sleep(pause)


async def print_all(answers: triomq.PULL) -> None:
    async for name, answer in answers:
        print(f"{name.decode()} answers: {answer.decode()}", flush=True)


async def main(
    endpoint: str = "tcp://*:5563", answers: str = "tcp://*:5564", address: str = "tcp://localhost:5564"
) -> None:
    async with triomq.open_context() as ctx:
        await publish(ctx, endpoint, answers, address)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
