"""``triomq demo pipeline``: the guide's ventilator, workers and sink. Each job is done once, by whoever has it."""

from __future__ import annotations

from collections import Counter

import attrs
import trio

from ... import PULL, PUSH, Context, open_context
from .._live import Rate
from ._stage import Outcome, show, show_live

_PER_SECOND = 100
"""jobs of one worker"""


@attrs.define
class _Done:
    """Which jobs have been done, and by whom."""

    jobs: Counter[int] = attrs.Factory(Counter)
    workers: Counter[str] = attrs.Factory(Counter)
    seconds: float = 0.0


def run_demo(seconds: float, workers: int) -> int:
    """Show it. Returns: the exit code."""
    total = round(seconds * _PER_SECOND * workers)
    heading = f"{total:,} jobs of {1000 / _PER_SECOND:g} ms, {workers} workers; PUSH, PULL over tcp on 127.0.0.1.\n"
    return show(heading, lambda: play(total, workers))


async def play(total: int, workers: int) -> Outcome:
    """Do all jobs, and count."""
    done, rate = _Done(), Rate()

    def line() -> str:
        return f"{done.jobs.total():,} of {total:,} jobs done, {rate.of(done.jobs.total()):,.0f} each second"

    async with open_context() as ctx, trio.open_nursery() as nursery:
        ventilator, sink = ctx.socket(PUSH, hwm=2), ctx.socket(PULL)
        source, target = await ventilator.bind("tcp://127.0.0.1:0"), await sink.bind("tcp://127.0.0.1:0")
        for number in range(1, workers + 1):
            nursery.start_soon(_work, ctx, f"worker-{number}", source, target)
        await ventilator.wait_peers(workers)
        nursery.start_soon(show_live, line)
        started = trio.current_time()
        nursery.start_soon(_hand_out, ventilator, total)
        while done.jobs.total() < total:
            worker, job = await sink.receive()
            done.jobs[int(job)] += 1
            done.workers[worker.decode()] += 1
        done.seconds = trio.current_time() - started
        nursery.cancel_scope.cancel(reason="all jobs are done")
    return _judge(done, total, workers)


async def _hand_out(ventilator: PUSH, total: int) -> None:
    for number in range(total):
        await ventilator.send(str(number).encode())


async def _work(ctx: Context, name: str, source: str, target: str) -> None:
    async with ctx.socket(PULL, hwm=2) as jobs, ctx.socket(PUSH) as results:
        jobs.connect(source)
        results.connect(target)
        async for job in jobs:
            await trio.sleep(1 / _PER_SECOND)
            await results.send([name.encode(), bytes(job)])


def _judge(done: _Done, total: int, workers: int) -> Outcome:
    lines = [f"{'worker':<12}{'jobs':>8}"]
    lines += [f"{name:<12}{count:>8,}" for name, count in sorted(done.workers.items())]
    work = total / _PER_SECOND
    lines.append(
        f"\n{work:.2f} s of work in {done.seconds:.2f} s: {work / done.seconds:.1f} times as fast as one worker"
    )
    faults = []
    twice = sum(count > 1 for count in done.jobs.values())
    missing = total - len(done.jobs)
    if twice or missing:
        faults.append(f"{missing:,} jobs were never done, and {twice:,} more than once")
    if idle := workers - len(done.workers):
        faults.append(f"{idle:,} workers had nothing to do")
    return Outcome("\n".join(lines) + "\n", faults, f"Each of the {total:,} jobs was done, once.")
