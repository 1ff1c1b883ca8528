"""Supervision: what crashes is started again, and what crashes too often takes its supervisor with it, as in Erlang.

    python supervisor.py [jobs]

A nursery already is a supervisor: when a child fails, the others are cancelled, and the failure goes to the parent.
``supervise`` puts a limit between them. Below, workers crash now and then, and all jobs are done. A job that a worker
could not finish is handed out again by the task that asked for it (lpclient.py), not by the supervisor.
"""

import random
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial

import lpclient
import trio

import triomq

ENDPOINT = "inproc://jobs"


async def supervise(
    program: Callable[[], Awaitable[None]], *, restarts: int = 5, period: float = 60.0, pause: float = 0.1
) -> None:
    """Run a program until it returns, and again when it fails.

    Raises:
      Exception: the program's, when it has failed more than ``restarts`` times within ``period`` seconds.
    """
    failures: deque[float] = deque(maxlen=restarts)
    while True:
        try:
            return await program()
        except Exception as error:
            now = trio.current_time()
            if len(failures) == restarts and now - failures[0] < period:
                raise
            failures.append(now)
            print(f"Starting again after {error!r}", flush=True)
        await trio.sleep(pause)


async def work(ctx: triomq.Context, dice: random.Random) -> None:
    async with ctx.socket(triomq.REP) as worker:
        worker.connect(ENDPOINT)
        async for job in worker:
            if dice.random() < 0.02:
                raise RuntimeError(f"job {job.text()} was too much")
            await worker.send(job)


async def main(jobs: str = "200", seed: str = "") -> None:
    dice = random.Random(seed or None)
    async with (
        triomq.open_context() as ctx,
        ctx.socket(triomq.REQ) as client,
        trio.open_nursery() as nursery,
    ):
        await client.bind(ENDPOINT)
        for _ in range(3):
            nursery.start_soon(partial(supervise, partial(work, ctx, dice), restarts=100))
        for number in range(int(jobs)):
            await lpclient.ask(client, b"%d" % number, seconds=0.5, tries=10)
        print(f"{jobs} jobs are done", flush=True)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
