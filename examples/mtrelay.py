"""A relay race: three steps that tell each other, over PAIR sockets, when they are ready.

    python mtrelay.py

In the guide each step is a thread, and the one that binds must come first. Here each is a task of one nursery; which
is why a step that fails takes the others with it instead of leaving them to wait for ever, and why it does not matter
who binds first.
"""

import sys

import trio

import triomq


async def step1(ctx: triomq.Context) -> None:
    async with ctx.socket(triomq.PAIR) as successor:
        successor.connect("inproc://step2")
        print("Step 1 ready, signaling step 2")
        await successor.send(b"READY")


async def step2(ctx: triomq.Context) -> None:
    async with ctx.socket(triomq.PAIR) as predecessor, ctx.socket(triomq.PAIR) as successor:
        await predecessor.bind("inproc://step2")
        successor.connect("inproc://step3")
        await predecessor.receive()
        print("Step 2 ready, signaling step 3")
        await successor.send(b"READY")


async def main() -> None:
    async with (
        triomq.open_context() as ctx,
        ctx.socket(triomq.PAIR) as predecessor,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(step1, ctx)
        nursery.start_soon(step2, ctx)
        await predecessor.bind("inproc://step3")
        await predecessor.receive()
        print("Test successful!")


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
