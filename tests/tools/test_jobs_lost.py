"""Job channels: what becomes of the jobs of a worker that is lost, and of workers whose manager is."""

from __future__ import annotations

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked(0.01)


FAULTS = pytest.mark.parametrize("fault", ["closes", "process", "power", "reset"])


async def lose(net: VirtualNetwork, worker: triomq.JobReceiver, fault: str) -> None:
    if fault == "closes":
        await worker.aclose()
    elif fault == "reset":
        net.cut("manager", "worker")
    else:
        net.crash("worker", "process" if fault == "process" else "power")


@FAULTS
@pytest.mark.parametrize("redo", [False, True, 1])
async def test_the_job_of_a_lost_worker(fault: str, redo: bool, virtual_network: VirtualNetwork) -> None:
    """It is handed out again by choice, before all that is sent later; else it is lost, and counted."""
    net = virtual_network
    async with net.open_context("manager") as here, triomq.JobSender(here, redo=redo) as jobs:
        await jobs.bind("tcp://*:5555")
        where = "tcp://manager:5555"
        async with net.open_context("worker") as there:
            first = triomq.JobReceiver(there)
            first.connect(where)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(jobs.send, b"the job")
                assert await first.receive() == (b"the job",)
            await lose(net, first, fault)
        await trio.sleep(60)  # heartbeats find what has lost its power
        statistics = jobs.statistics()
        assert (statistics.workers, statistics.jobs_done) == (0, 0)
        assert (statistics.jobs_unfinished, statistics.jobs_lost) == ((1, 0) if redo else (0, 1))
        async with net.open_context("other") as there, trio.open_nursery() as nursery:
            second = triomq.JobReceiver(there)
            second.connect(where)
            nursery.start_soon(jobs.send, b"the next job")
            if redo:
                assert await second.receive() == (b"the job",)
            assert await second.receive() == (b"the next job",)
            await second.done()
            await jobs.wait_done()
        assert jobs.statistics().jobs_repeated == (1 if redo else 0)


@pytest.mark.parametrize("redo", [False, True])
async def test_a_loop_that_begins_gives_the_job_in_hand_up(redo: bool, virtual_network: VirtualNetwork) -> None:
    """The loop before was left in the midst of the job. The sender learns it now, and not by the end of the worker."""
    async with virtual_network.open_context() as ctx, triomq.JobReceiver(ctx) as worker:
        async with triomq.JobSender(ctx, redo=redo) as jobs, trio.open_nursery() as nursery:
            worker.connect(await jobs.bind("inproc://jobs"))
            nursery.start_soon(jobs.send, b"the job")
            with trio.move_on_after(1):
                async for _ in worker:
                    await trio.sleep(2)
            with trio.move_on_after(1) as scope:
                async for job in worker:
                    assert job == (b"the job",)
                    await worker.done()
                    break
            assert scope.cancelled_caught is not redo
        statistics = jobs.statistics()
        assert (statistics.jobs_done, statistics.jobs_lost) == ((1, 0) if redo else (0, 1))


async def test_a_job_that_loses_all_its_workers_is_given_up(virtual_network: VirtualNetwork) -> None:
    async def work(ctx: triomq.Context, where: str) -> None:
        while True:
            async with triomq.JobReceiver(ctx) as worker:
                worker.connect(where)
                await worker.receive()

    async with virtual_network.open_context() as ctx, triomq.JobSender(ctx, redo=3) as jobs:
        where = await jobs.bind("tcp://127.0.0.1:0")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(work, ctx, where)
            with pytest.raises(trio.BrokenResourceError, match=r"worker was lost, for the 4\. time; nobody knows"):
                await jobs.request(b"poison")
            nursery.cancel_scope.cancel()
        assert (jobs.statistics().jobs_repeated, jobs.statistics().jobs_lost) == (3, 1)


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://jobs"])
async def test_what_a_worker_says_last_counts(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """It says done, and leaves at once."""
    async with virtual_network.open_context() as ctx, triomq.JobSender(ctx, redo=True) as jobs:
        where = await jobs.bind(endpoint)
        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(jobs.send, b"%d" % number)
            for _ in range(20):
                async with triomq.JobReceiver(ctx) as worker:
                    worker.connect(where)
                    await worker.receive()
                    await worker.done()
        await jobs.wait_done()
        statistics = jobs.statistics()
        assert (statistics.jobs_done, statistics.jobs_repeated) == (20, 0)


async def test_a_worker_that_comes_back_asks_again(virtual_network: VirtualNetwork) -> None:
    """What it asked for over the old connection is void, and nothing is asked for twice."""
    net = virtual_network
    async with net.open_context("manager") as here, triomq.JobSender(here, redo=True) as jobs:
        await jobs.bind("tcp://*:5555")
        async with net.open_context("worker") as there, trio.open_nursery() as nursery:
            worker = triomq.JobReceiver(there, reconnect_interval=0.01)
            worker.connect("tcp://manager:5555")
            got: list[bytes] = []

            async def work() -> None:
                async for job in worker:
                    got.append(bytes(job))

            nursery.start_soon(work)
            for number in range(5):
                await jobs.socket.wait_peers()
                await settle()
                net.cut("manager", "worker")
                await trio.sleep(1)
                await jobs.send(b"%d" % number)
            await trio.sleep(1)
            assert got == [b"%d" % number for number in range(5)]
            assert jobs.statistics().workers == 1
            nursery.cancel_scope.cancel()


async def test_a_manager_that_comes_back_finds_its_workers(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    got: list[bytes] = []

    async def manage(ctx: triomq.Context, numbers: range) -> None:
        async with triomq.JobSender(ctx) as jobs:
            await jobs.bind("tcp://*:5555")
            for number in numbers:
                await jobs.send(b"%d" % number)

    async with net.open_context("worker") as there, trio.open_nursery() as nursery:
        worker = triomq.JobReceiver(there, reconnect_interval_max=1)
        worker.connect("tcp://manager:5555")

        async def work() -> None:
            async for job in worker:
                got.append(bytes(job))

        nursery.start_soon(work)
        for numbers in (range(3), range(3, 6)):
            async with net.open_context("manager") as here:
                await manage(here, numbers)
            net.crash("manager")
            await trio.sleep(60)
            net.restart("manager")
        nursery.cancel_scope.cancel()
    assert got == [b"%d" % number for number in range(6)]


async def test_a_busy_worker_is_not_taken_for_dead(virtual_network: VirtualNetwork) -> None:
    """Its process computes for 25 s, and says nothing meanwhile."""
    net = virtual_network
    async with net.open_context("manager") as here, triomq.JobSender(here, redo=True) as jobs:
        await jobs.bind("tcp://*:5555")
        async with net.open_context("worker") as there, trio.open_nursery() as nursery:
            worker = triomq.JobReceiver(there)
            worker.connect("tcp://manager:5555")
            nursery.start_soon(jobs.send, b"much to compute")
            await worker.receive()
            net.pause("worker")
            await trio.sleep(25)
            net.resume("worker")
            await worker.done()
            await jobs.wait_done()
        assert jobs.statistics().jobs_repeated == 0
