"""The guide's multithreaded server with its threads: each worker blocks, and hwclient is its client.

    python mtserver.py [endpoint] [seconds of work]

Tasks have the sockets. A thread has a handle of one: it receives and replies by plain calls, as blocking programs do.
At Ctrl-C and SIGTERM the threads finish the requests that they have, and take no other.

Choose threads where the work waits in blocking calls, or computes in C and releases the GIL. Where it computes in
Python, choose processes: processpool.py.
"""

import signal
import sys
import time
from functools import partial

import trio

import triomq

WORKERS = "inproc://workers"
Requests = triomq.BlockingChannel[triomq.MessageLike, triomq.Message]


def serve(requests: Requests, name: str, work: float) -> None:
    """What a thread does."""
    for request in requests:
        print(f"{name} received request: [{request.text()}]\n", end="", flush=True)  # in one piece: others print, too
        time.sleep(work)  # stands for a call that blocks
        requests.send(b"World")


async def employ(worker: triomq.REP, handles: list[Requests], name: str, work: float) -> None:
    async with worker:
        worker.connect(WORKERS)
        handles.append(triomq.blocking(worker))
        await trio.to_thread.run_sync(serve, handles[-1], name, work)


async def main(endpoint: str = "tcp://*:5555", work: str = "1") -> None:
    handles: list[Requests] = []
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with (
            triomq.open_context() as ctx,
            ctx.socket(triomq.ROUTER, bind=endpoint) as clients,
            ctx.socket(triomq.DEALER, bind=WORKERS) as workers,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(triomq.proxy, clients, workers)
            async with trio.open_nursery() as threads:
                for number in range(1, 6):
                    threads.start_soon(employ, ctx.socket(triomq.REP), handles, f"worker-{number}", float(work))
                await anext(signals)
                for handle in handles:
                    handle.stop()
            nursery.cancel_scope.cancel()
    print("Everything is closed")


if __name__ == "__main__":
    trio.run(partial(main, *sys.argv[1:]))
