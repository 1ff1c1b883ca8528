"""Promises 1 to 5 for job channels: workers and networks fail, and each job is done at least, or at the most, once."""

from __future__ import annotations

from collections import Counter

import pytest
import trio

import triomq

from .actors import patience
from .promises import promise
from .weather import strike

pytestmark = pytest.mark.virtual_seeds(4)

FAULTS = ["reset", "black hole", "partition", "pause", "power", "process"]
HEARTBEATS = {"heartbeat_interval": 2.0, "heartbeat_timeout": 6.0}
JOBS = 60


@promise(1, 3, 4, 5)
@pytest.mark.parametrize("redo", [True, False])
async def test_jobs_among_workers_that_fail(net, rough, dice, redo: bool) -> None:
    """Each accepted job is done; each rejected one is not. With redo at least once, without at the most once."""
    names = ["w0", "w1", "w2"]
    rough("manager", *names)
    begun: Counter[int] = Counter()
    accepted: list[int] = []
    finished: list[int] = []

    async def work(ctx: triomq.Context) -> None:
        worker = triomq.JobReceiver(ctx, credit=dice.choice([1, 3]), reconnect_interval_max=1.0, **HEARTBEATS)
        worker.connect("tcp://manager:5555")
        async for job in worker:
            number = int(bytes(job))
            begun[number] += 1
            await trio.sleep(dice.choice([0.01, 0.1, 1.0]))
            finished.append(number)

    async def weather() -> None:
        while True:
            await trio.sleep(dice.uniform(1, 10))
            await strike(net, dice, "manager", dice.choice(names), dice.choice(FAULTS), 20)

    async with trio.open_nursery() as nursery, net.open_context("manager") as ctx:
        for name in names:
            nursery.start_soon(net.run_on, name, work)
        nursery.start_soon(weather)
        async with triomq.JobSender(ctx, redo=redo, **HEARTBEATS) as jobs:
            await jobs.bind("tcp://*:5555")
            for number in range(JOBS):
                with patience(dice, 2.0):
                    await jobs.send(b"%d" % number)
                    accepted.append(number)
        statistics = jobs.statistics()
        assert statistics.jobs_unfinished == 0
        assert statistics.jobs_done + statistics.jobs_lost == len(accepted)
        assert set(begun) <= set(accepted)
        if redo:
            assert statistics.jobs_lost == 0
            assert set(finished) == set(accepted)
        else:
            assert set(begun.values()) <= {1}
            assert len(set(finished)) >= statistics.jobs_done
        nursery.cancel_scope.cancel()


@promise(3, 5)
async def test_requests_among_workers_that_fail(net, rough, dice) -> None:
    """Each gets the result of its own job, however many workers were lost with it."""
    names = ["w0", "w1"]
    rough("manager", *names)
    results: dict[int, int] = {}

    async def work(ctx: triomq.Context) -> None:
        worker = triomq.JobReceiver(ctx, reconnect_interval_max=1.0, **HEARTBEATS)
        worker.connect("tcp://manager:5555")
        async for job in worker:
            await trio.sleep(dice.uniform(0, 1))
            await worker.done(b"%d" % (int(bytes(job)) ** 2))

    async def weather() -> None:
        while True:
            await trio.sleep(dice.uniform(1, 5))
            await strike(net, dice, "manager", dice.choice(names), dice.choice(FAULTS), 10)

    async def ask(jobs: triomq.JobSender, number: int) -> None:
        results[number] = int(bytes(await jobs.request(b"%d" % number)))

    async with trio.open_nursery() as nursery, net.open_context("manager") as ctx:
        for name in names:
            nursery.start_soon(net.run_on, name, work)
        nursery.start_soon(weather)
        async with triomq.JobSender(ctx, redo=True, **HEARTBEATS) as jobs, trio.open_nursery() as asking:
            await jobs.bind("tcp://*:5555")
            for number in range(JOBS):
                asking.start_soon(ask, jobs, number)
        nursery.cancel_scope.cancel()
    assert results == {number: number**2 for number in range(JOBS)}


@promise(4, 5)
async def test_a_manager_that_fails_comes_back_to_its_workers(net, rough, dice) -> None:
    """It begins with all its jobs again, and the workers that never left do them."""
    names = ["w0", "w1"]
    rough("manager", *names)
    done: set[int] = set()

    async def work(ctx: triomq.Context) -> None:
        worker = triomq.JobReceiver(ctx, credit=2, reconnect_interval_max=1.0, **HEARTBEATS)
        worker.connect("tcp://manager:5555")
        async for job in worker:
            await trio.sleep(0.5)
            done.add(int(bytes(job)))

    async def manage(ctx: triomq.Context) -> None:
        async with triomq.JobSender(ctx, redo=True, linger=0, **HEARTBEATS) as jobs:
            await jobs.bind("tcp://*:5555")
            for number in range(JOBS):
                await jobs.send(b"%d" % number)

    async with trio.open_nursery() as nursery:
        for name in names:
            nursery.start_soon(net.run_on, name, work)
        async with trio.open_nursery() as managing:
            managing.start_soon(net.run_on, "manager", manage)
            for fault in dice.sample(["power", "process"], 2):
                await trio.sleep(dice.uniform(2, 8))
                net.crash("manager", how=fault)
                await trio.sleep(dice.uniform(0, 20))
                net.restart("manager")
        assert done == set(range(JOBS))
        nursery.cancel_scope.cancel()
