"""A relay race between threads: three steps that tell each other, over PAIR sockets, when they are ready.

    python mtrelay.py

As in the guide, each step is a thread. Each has a trio run and a context of its own, and the contexts share their
names. It does not matter which thread is first, or who binds first. A signal is a message to one receiver: so the
sockets are PAIRs, which have one peer each.
"""

import sys

import trio

import triomq


async def step1(names: triomq.SharedNames) -> None:
    async with triomq.open_context(inproc=names) as ctx, ctx.socket(triomq.PAIR) as successor:
        successor.connect("inproc://step2")
        print("Step 1 ready, signaling step 2", flush=True)
        await successor.send(b"READY")


async def step2(names: triomq.SharedNames) -> None:
    async with (
        triomq.open_context(inproc=names) as ctx,
        ctx.socket(triomq.PAIR) as predecessor,
        ctx.socket(triomq.PAIR) as successor,
    ):
        await predecessor.bind("inproc://step2")
        successor.connect("inproc://step3")
        await predecessor.receive()
        print("Step 2 ready, signaling step 3", flush=True)
        await successor.send(b"READY")


async def main() -> None:
    names = triomq.SharedNames()
    async with (
        triomq.open_context(inproc=names) as ctx,
        ctx.socket(triomq.PAIR) as predecessor,
        trio.open_nursery() as nursery,
    ):
        for step in (step1, step2):
            nursery.start_soon(trio.to_thread.run_sync, trio.run, step, names)
        await predecessor.bind("inproc://step3")
        await predecessor.receive()
        print("Test successful!")


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
