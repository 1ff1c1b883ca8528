"""A pool of processes that compute on all processors, over ipc: killed workers are replaced, their jobs done again.

    python processpool.py [jobs] [workers]

The pool starts its workers: they run this file. A worker computes in a thread, so that its trio run goes on answering
while it computes. Ctrl-C and SIGTERM end the pool; a worker finishes the job in hand, and ends when the pool is gone.
"""

import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from functools import partial

import trio

import triomq


def count_primes(limit: int) -> int:
    return sum(all(number % factor for factor in range(2, int(number**0.5) + 1)) for number in range(2, limit))


def compute(jobs: triomq.BlockingChannel[triomq.MessageLike, triomq.Message]) -> None:
    """What the thread of a worker does."""
    for job in jobs:
        jobs.send(b"%d" % count_primes(int(job.text())))


async def work(endpoint: str) -> None:
    """What the process of a worker does."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with triomq.open_context() as ctx, triomq.JobReceiver(ctx, credit=2) as receiver:
            receiver.connect(endpoint)
            jobs = triomq.blocking(receiver)

            async def until_asked_to_stop() -> None:
                await anext(signals)
                jobs.stop()

            async def until_the_pool_is_gone() -> None:
                await receiver.socket.wait_peers(1)
                await receiver.socket.wait_peers(0)
                jobs.stop()

            async with trio.open_nursery() as nursery:
                nursery.start_soon(until_asked_to_stop)
                nursery.start_soon(until_the_pool_is_gone)
                await trio.to_thread.run_sync(compute, jobs)
                nursery.cancel_scope.cancel()


async def employ(endpoint: str) -> None:
    """Keep one worker, until cancelled: then it gets SIGTERM, and is waited for."""
    while True:
        ended = await trio.run_process([sys.executable, __file__, "--work", endpoint], check=False)
        print(f"A worker has ended with {ended.returncode}, and another one starts", flush=True)


async def ask(pool: triomq.JobSender, limits: Iterator[int], results: list[int], jobs: int) -> None:
    for limit in limits:  # several tasks share the iterator
        results.append(int((await pool.request(b"%d" % limit)).text()))
        if len(results) % max(1, jobs // 10) == 0:
            print(f"{len(results)} of {jobs} jobs done", flush=True)


async def until_interrupted(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    print(f"{signal.Signals(await anext(signals)).name}: closing down", flush=True)
    scope.cancel()


async def main(count: str = "200", workers: str = str(os.cpu_count())) -> None:
    jobs, results = int(count), list[int]()
    limits = iter(range(10_000, 10_000 + jobs))
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with triomq.open_context() as ctx, trio.open_nursery() as everything:
            everything.start_soon(until_interrupted, signals, everything.cancel_scope)
            async with triomq.JobSender(ctx, redo=True) as pool:
                endpoint = await pool.bind("ipc://*")
                for _ in range(int(workers)):
                    everything.start_soon(employ, endpoint)
                async with trio.open_nursery() as asking:
                    for _ in range(4 * int(workers)):
                        asking.start_soon(ask, pool, limits, results, jobs)
                repeated = pool.statistics().jobs_repeated
                print(f"{len(results)} jobs done, {repeated} of them again; {sum(results)} primes found")
                everything.cancel_scope.cancel()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        trio.run(work, sys.argv[2])
    else:
        trio.run(partial(main, *sys.argv[1:]))
