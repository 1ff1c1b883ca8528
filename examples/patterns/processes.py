"""Several processes: computes on all processors, gives the next job to whoever is free, survives crashes of workers.

    python processes.py [workers] [jobs]

The parent starts its workers, each a process with an endpoint of its own. A task for each worker takes a job, asks the
worker, and takes the next: so nobody hoards jobs. When a process dies, its job goes back and supervisor.py starts
another process. When the parent ends, however that is, the workers end.
"""

import os
import sys
import tempfile
from collections import deque
from functools import partial

import trio
from supervisor import supervise

import triomq


def compute(job: int) -> int:
    """What the processors are for: how many primes are below this number."""
    return sum(all(number % divisor for divisor in range(2, int(number**0.5) + 1)) for number in range(2, job))


async def work(endpoint: str) -> None:
    """A worker process."""
    async with triomq.open_context() as ctx, ctx.socket(triomq.REP) as server:
        await server.bind(endpoint)
        async for job in server:
            await server.send(b"%d" % compute(int(job.text())))


async def kill(process: trio.Process) -> None:
    """End a worker at once: it has nothing to finish."""
    process.kill()


async def employ(ctx: triomq.Context, endpoint: str, jobs: deque[int], results: dict[int, int]) -> None:
    """Have one worker process while there are jobs. Fails if the process does; then its job is back in ``jobs``."""
    async with trio.open_nursery() as nursery, ctx.socket(triomq.REQ, linger=0) as worker:
        command = [sys.executable, __file__, "work", endpoint]
        nursery.start_soon(partial(trio.run_process, command, deliver_cancel=kill))
        worker.connect(endpoint)
        while jobs:
            job = jobs.popleft()
            try:
                results[job] = int((await worker.request(b"%d" % job)).text())
            finally:
                if job not in results:
                    jobs.append(job)
        nursery.cancel_scope.cancel()


async def main(workers: str = str(os.cpu_count()), count: str = "100") -> None:
    jobs, results = deque(range(1000, 1000 + int(count))), dict[int, int]()
    with tempfile.TemporaryDirectory() as directory:
        async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
            for number in range(int(workers)):
                endpoint = f"ipc://{directory}/worker-{number}"
                nursery.start_soon(supervise, partial(employ, ctx, endpoint, jobs, results))
    print(f"{len(results)} results, the last is {results[max(results)]}", flush=True)


if __name__ == "__main__":
    try:
        if sys.argv[1:2] == ["work"]:
            trio.run(work, sys.argv[2])
        else:
            trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
