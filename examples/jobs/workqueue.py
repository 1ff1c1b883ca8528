"""Shares jobs among processes, each job to the process that is free, and shows the progress.

    python workqueue.py [jobs] [workers]

The program starts its workers itself: it runs this file with the endpoint of the queue. Ctrl-C ends all of them. Kill a
worker, and another one does its job. To add workers, on this machine or another one, give the queue an endpoint that
they can connect to.
"""

import random
import sys
from collections.abc import Iterator

import trio

import triomq


def count_primes(limit: int) -> int:
    return sum(all(number % factor for factor in range(2, int(number**0.5) + 1)) for number in range(2, limit))


async def work(endpoint: str) -> None:
    async with triomq.open_context() as ctx, triomq.JobReceiver(ctx, credit=2) as worker:
        worker.connect(endpoint)
        async for job in worker:
            primes = await trio.to_thread.run_sync(count_primes, int(bytes(job)))
            await worker.done(str(primes).encode())


async def run_worker(endpoint: str) -> None:
    code = (await trio.run_process([sys.executable, __file__, "--work", endpoint], check=False)).returncode
    print(f"a worker has ended: {code}", file=sys.stderr)


async def ask(queue: triomq.JobSender, limits: Iterator[int], results: list[int], jobs: int) -> None:
    for limit in limits:  # several tasks share the iterator
        results.append(int(bytes(await queue.request(str(limit).encode()))))
        if sys.stderr.isatty():
            print(f"\r{len(results)} of {jobs}", end="", file=sys.stderr, flush=True)


async def main(jobs: str = "2000", workers: str = "4") -> None:
    results: list[int] = []
    limits = iter([random.randint(10, 2000) for _ in range(int(jobs))])
    async with triomq.open_context() as ctx, trio.open_nursery() as processes:
        async with triomq.JobSender(ctx, redo=True) as queue:
            endpoint = await queue.bind("tcp://127.0.0.1:0")
            for _ in range(int(workers)):
                processes.start_soon(run_worker, endpoint)
            async with trio.open_nursery() as asking:
                for _ in range(4 * int(workers)):
                    asking.start_soon(ask, queue, limits, results, int(jobs))
        processes.cancel_scope.cancel()
    print(f"{len(results)} jobs done, {sum(results)} primes found")


if __name__ == "__main__":
    try:
        if sys.argv[1:2] == ["--work"]:
            trio.run(work, sys.argv[2])
        else:
            trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
