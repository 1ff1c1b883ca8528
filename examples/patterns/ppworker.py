"""Paranoid pirate, a worker: notices that its queue is gone, and comes back with longer and longer waits.

    python ppworker.py [endpoint] [seconds of work]

For ppqueue.py, or the guide's (RFC 6). A task of its own sends the heartbeats, so a worker that waits for something
while it works is not taken for dead. A worker that computes for seconds must do that in ``trio.to_thread``.
"""

import sys
from functools import partial

import trio

import triomq

READY, HEARTBEAT = b"\x01", b"\x02"
INTERVAL = 1.0  # seconds between two heartbeats
LIVENESS = 3  # a queue that was silent for that many is dead
LONGEST_WAIT = 32.0


async def beat(worker: triomq.DEALER) -> None:
    while True:
        await trio.sleep(INTERVAL)
        await worker.send(HEARTBEAT)


async def answer(worker: triomq.DEALER, seconds: float) -> bool:
    """Work until the queue is silent. Returns: whether it has said anything."""
    heard = False
    while True:
        with trio.move_on_after(INTERVAL * LIVENESS) as silence:
            message = await worker.receive()
        if silence.cancelled_caught:
            return heard
        heard = True
        if message != (HEARTBEAT,):  # it is [client, b"", the request …]
            print(f"Working on {message[2:]}", flush=True)
            await trio.sleep(seconds)
            await worker.send(message)


async def work(ctx: triomq.Context, endpoint: str, seconds: float = 1.0) -> None:
    """Echo requests for ever, each after some seconds of work."""
    wait = INTERVAL
    while True:
        async with ctx.socket(triomq.DEALER, linger=0) as worker, trio.open_nursery() as nursery:
            worker.connect(endpoint)
            await worker.send(READY)
            nursery.start_soon(beat, worker)
            heard = await answer(worker, seconds)
            nursery.cancel_scope.cancel()
        wait = INTERVAL if heard else min(2 * wait, LONGEST_WAIT)
        print(f"The queue is silent; connecting again in {wait:.0f} s", flush=True)
        await trio.sleep(wait)


async def main(endpoint: str = "tcp://localhost:5556", seconds: str = "1") -> None:
    async with triomq.open_context() as ctx:
        await work(ctx, endpoint, float(seconds))


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
