"""Job channels, cancelled and closed: a job is handed to nobody, or to one worker, whatever happens to the calls."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

JOBS = 300


def impatience(rng: random.Random) -> trio.CancelScope:
    """A scope that is cancelled already, or soon, or not in time to matter."""
    scope = trio.CancelScope()
    if rng.random() < 0.2:
        scope.cancel()
    elif rng.random() < 0.7:
        scope.deadline = trio.current_time() + rng.choice([1e-9, 0.001, 0.01])
    return scope


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://jobs"])
@pytest.mark.parametrize("credit", [1, 3])
@pytest.mark.parametrize("seed", range(5))
async def test_calls_that_are_cancelled_at_random(
    endpoint: str, credit: int, seed: int, virtual_network: VirtualNetwork
) -> None:
    """No job whose ``send`` was cancelled is ever done; every other is done once. No worker is lost here."""
    rng = random.Random(f"{endpoint} {credit} {seed}")
    accepted: list[int] = []
    done: Counter[int] = Counter()
    numbers = iter(range(JOBS))

    async def send(jobs: triomq.JobSender) -> None:
        for number in numbers:
            with impatience(rng):
                await jobs.send(b"%d" % number)
                accepted.append(number)

    async def work(ctx: triomq.Context, where: str) -> None:
        async with triomq.JobReceiver(ctx, credit=credit) as worker:
            worker.connect(where)
            while True:
                with impatience(rng):
                    job = await worker.receive()
                    done[int(job[0])] += 1
                    await trio.sleep(rng.choice([0, 0.001]))
                    await worker.done()
                    continue
                await trio.sleep(0.001)

    async with virtual_network.open_context() as ctx, trio.open_nursery() as working:
        async with triomq.JobSender(ctx, redo=True) as jobs:
            where = await jobs.bind(endpoint)
            for _ in range(3):
                working.start_soon(work, ctx, where)
            async with trio.open_nursery() as sending:
                for _ in range(3):
                    sending.start_soon(send, jobs)
            with trio.move_on_after(60):  # workers that were cancelled in the midst of a job say so with the next one
                await jobs.wait_done()
            assert jobs.statistics().jobs_unfinished == 0
        working.cancel_scope.cancel()
    assert sorted(done) == sorted(accepted)
    assert len(accepted) < JOBS
    assert set(done.values()) == {1}


@pytest.mark.parametrize("checkpoints", range(8))
async def test_send_is_cancelled_at_each_of_its_checkpoints(checkpoints: int, virtual_network: VirtualNetwork) -> None:
    """As many as that pass, and then it is cancelled: the job was accepted, or nobody gets it."""
    async with virtual_network.open_context() as ctx, triomq.JobSender(ctx) as jobs:
        worker = triomq.JobReceiver(ctx)
        worker.connect(await jobs.bind("inproc://jobs"))
        async with trio.open_nursery() as nursery:
            got: list[bytes] = []

            async def work() -> None:
                async for job in worker:
                    got.append(bytes(job))

            nursery.start_soon(work)
            if checkpoints % 2:
                await trio.testing.wait_all_tasks_blocked()
            accepted = False
            with trio.CancelScope() as scope:

                async def cancel() -> None:
                    for _ in range(checkpoints // 2):
                        await trio.lowlevel.checkpoint()
                    scope.cancel()

                nursery.start_soon(cancel)
                await jobs.send(b"it")
                accepted = True
            await trio.sleep(1)
            assert got == ([b"it"] if accepted else [])
            nursery.cancel_scope.cancel()


async def test_a_cancelled_receive_leaves_the_job_to_the_next(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx, triomq.JobSender(ctx) as jobs:
        worker = triomq.JobReceiver(ctx)
        worker.connect(await jobs.bind("tcp://127.0.0.1:0"))
        with trio.move_on_after(1):
            await worker.receive()
        await jobs.send(b"it")
        for _ in range(3):
            with trio.CancelScope() as scope:
                scope.cancel()
                await worker.receive()
        assert await worker.receive() == (b"it",)
        with trio.CancelScope() as scope:
            scope.cancel()
            await worker.done()
        assert jobs.statistics().jobs_done == 0
        await worker.done()


@pytest.mark.parametrize("redo", [False, True])
async def test_a_worker_that_is_cancelled_in_the_midst_of_a_job(redo: bool, virtual_network: VirtualNetwork) -> None:
    """The job is not done; another worker gets it, by choice."""
    begun: list[str] = []

    async def work(ctx: triomq.Context, name: str, where: str, seconds: float) -> None:
        async with triomq.JobReceiver(ctx) as worker:
            worker.connect(where)
            async for _ in worker:
                begun.append(name)
                await trio.sleep(seconds)

    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        async with triomq.JobSender(ctx, redo=redo) as jobs:
            where = await jobs.bind("tcp://127.0.0.1:0")
            nursery.start_soon(jobs.send, b"it")
            with trio.move_on_after(1):
                await work(ctx, "first", where, 10)
            nursery.start_soon(work, ctx, "second", where, 0.1)
        statistics = jobs.statistics()
        assert (statistics.jobs_done, statistics.jobs_lost) == ((1, 0) if redo else (0, 1))
        assert begun == (["first", "second"] if redo else ["first"])
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("redo", [False, True])
async def test_a_cancelled_request(redo: bool, virtual_network: VirtualNetwork) -> None:
    """Its job is not handed out again: nobody wants the result."""
    async with virtual_network.open_context() as ctx, triomq.JobSender(ctx, redo=redo) as jobs:
        where = await jobs.bind("tcp://127.0.0.1:0")
        with trio.move_on_after(1):
            await jobs.request(b"nobody is there")
        async with triomq.JobReceiver(ctx) as worker, trio.open_nursery() as nursery:
            worker.connect(where)
            nursery.start_soon(jobs.request, b"it")
            assert await worker.receive() == (b"it",)
            nursery.cancel_scope.cancel()
        await jobs.wait_done()
        assert (jobs.statistics().jobs_lost, jobs.statistics().jobs_repeated) == (1, 0)


async def test_a_request_cancelled_between_two_workers(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx, triomq.JobSender(ctx, redo=True) as jobs:
        where = await jobs.bind("tcp://127.0.0.1:0")
        with trio.move_on_after(10):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(jobs.request, b"it")
                async with triomq.JobReceiver(ctx) as worker:
                    worker.connect(where)
                    await worker.receive()
        assert (jobs.statistics().jobs_lost, jobs.statistics().jobs_repeated) == (1, 1)


@pytest.mark.parametrize("way", ["aclose", "socket", "context"])
async def test_who_waits_when_the_channel_closes_is_told(way: str, virtual_network: VirtualNetwork) -> None:
    told: list[str] = []

    async def tell(name: str, call: Awaitable[Any]) -> None:
        with pytest.raises(trio.ClosedResourceError):
            await call
        told.append(name)

    async def hold(jobs: triomq.JobSender, task_status: trio.TaskStatus[None]) -> None:
        async with jobs:
            task_status.started()
            await trio.sleep_forever()

    async with trio.open_nursery() as holding, trio.open_nursery() as nursery:
        async with virtual_network.open_context() as ctx:
            jobs, worker = triomq.JobSender(ctx), triomq.JobReceiver(ctx)
            await holding.start(hold, jobs)
            worker.connect(await jobs.bind("tcp://127.0.0.1:0"))
            nursery.start_soon(tell, "request", jobs.request(b"it"))
            await worker.receive()
            for number in range(2):
                nursery.start_soon(tell, f"send {number}", jobs.send(b"%d" % number))
            nursery.start_soon(tell, "wait", jobs.wait_done())
            await trio.testing.wait_all_tasks_blocked()
            assert jobs.statistics().tasks_waiting_send == 2
            if way == "aclose":
                await jobs.aclose()
            elif way == "socket":
                await jobs.socket.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(told) == ["request", "send 0", "send 1", "wait"]
        for call in (jobs.send(b"late"), jobs.request(b"late"), jobs.wait_done(), worker.receive(), worker.done()):
            await tell("late", call)
        await jobs.aclose()
        holding.cancel_scope.cancel()


@pytest.mark.parametrize("leave", ["error", "cancel"])
async def test_an_exception_leaves_the_block_at_once_and_as_it_is(leave: str, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        worker = triomq.JobReceiver(ctx)
        start = trio.current_time()
        with trio.CancelScope() as scope:
            with pytest.raises(ValueError, match=r"^the user's$") if leave == "error" else trio.CancelScope():
                async with triomq.JobSender(ctx, linger=0) as jobs:
                    worker.connect(await jobs.bind("tcp://127.0.0.1:0"))
                    with trio.move_on_after(0.1):
                        await worker.receive()
                    await jobs.send(b"never done")
                    if leave == "error":
                        raise ValueError("the user's")
                    scope.cancel()
                    await trio.sleep_forever()
        assert trio.current_time() - start < 1
        assert jobs.statistics().jobs_unfinished == 1
        assert scope.cancelled_caught is (leave == "cancel")
