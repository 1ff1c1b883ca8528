"""Job channels: who gets which job, what is done of it, and what becomes of the jobs of a worker that is lost."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

ENDPOINTS = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "ipc://*", "inproc://jobs"])


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked(0.01)


@asynccontextmanager
async def channel(
    ctx: triomq.Context, *, endpoint: str = "inproc://jobs", credit: int = 1, **options: Any
) -> AsyncIterator[tuple[triomq.JobSender, triomq.JobReceiver]]:
    """A sender and one receiver."""
    async with triomq.JobReceiver(ctx, credit=credit) as worker, triomq.JobSender(ctx, **options) as jobs:
        worker.connect(await jobs.bind(endpoint))
        await jobs.socket.wait_peers()
        await settle()
        yield jobs, worker


# --- whoever is free -------------------------------------------------------------------------------


@ENDPOINTS
@pytest.mark.parametrize("credit", [1, 2])
async def test_a_slow_worker_gets_few_jobs(endpoint: str, credit: int, virtual_network: VirtualNetwork) -> None:
    done: Counter[str] = Counter()

    async def work(ctx: triomq.Context, where: str, name: str, seconds: float) -> None:
        async with triomq.JobReceiver(ctx, credit=credit) as worker:
            worker.connect(where)
            async for _ in worker:
                await trio.sleep(seconds)
                done[name] += 1

    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        async with triomq.JobSender(ctx) as jobs:
            where = await jobs.bind(endpoint)
            for name, seconds in (("a", 0.001), ("b", 0.001), ("c", 0.001), ("slow", 0.05)):
                nursery.start_soon(work, ctx, where, name, seconds)
            start = trio.current_time()
            for number in range(400):
                await jobs.send(b"%d" % number)
        assert trio.current_time() - start < 0.3
        assert sum(done.values()) == 400
        assert done["slow"] <= 8
        nursery.cancel_scope.cancel()


async def test_who_has_nothing_to_do_comes_before_who_asks_ahead(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx, channel(ctx, credit=5) as (jobs, eager):
        async with triomq.JobReceiver(ctx) as idle:
            idle.connect("inproc://jobs")
            for worker in (eager, idle):
                with trio.move_on_after(1):
                    await worker.receive()
            await jobs.send(b"for the one")
            await jobs.send(b"for the other")
            assert await eager.receive() == (b"for the one",)
            assert await idle.receive() == (b"for the other",)
            await idle.done()
            await eager.done()
            await jobs.wait_done()


async def test_a_worker_that_does_not_ask_gets_nothing(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx, channel(ctx) as (jobs, worker):
        with trio.move_on_after(1) as scope:
            await jobs.send(b"a job")
        assert scope.cancelled_caught
        with trio.move_on_after(1):
            await worker.receive()
        await jobs.send(b"a job")  # one was asked for
        with trio.move_on_after(1) as scope:
            await jobs.send(b"another job")
        assert scope.cancelled_caught
        assert await worker.receive() == (b"a job",)
        await worker.done()


async def test_one_worker_never_has_more_than_max_credit(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx, channel(ctx, credit=10**8, max_credit=3) as (jobs, worker):
        with trio.move_on_after(1):
            await worker.receive()
        sent = 0
        with trio.move_on_after(1):
            while True:
                await jobs.send(b"%d" % sent)
                sent += 1
        assert sent == jobs.statistics().jobs_unfinished == 3
        for number in range(3):
            assert bytes(await worker.receive()) == b"%d" % number
            sent += number == 2
        await worker.done()
        await jobs.wait_done()
        await jobs.send(b"and it goes on")
        await worker.receive()
        await worker.done()


@pytest.mark.parametrize("credit", [1, 2, 3, 10, 1000])
@pytest.mark.parametrize("max_credit", [1, 3, 16])
async def test_any_two_limits_go_together(credit: int, max_credit: int, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        most = 0
        got = []

        async def work(where: str) -> None:
            nonlocal most
            async with triomq.JobReceiver(ctx, credit=credit) as worker:
                worker.connect(where)
                async for job in worker:
                    most = max(most, jobs.statistics().jobs_unfinished)
                    await trio.sleep(0.01)
                    got.append(int(bytes(job)))

        async with triomq.JobSender(ctx, max_credit=max_credit) as jobs:
            nursery.start_soon(work, await jobs.bind("tcp://127.0.0.1:0"))
            for number in range(100):
                await jobs.send(b"%d" % number)
        assert got == list(range(100))
        assert most == min(credit, max_credit)
        nursery.cancel_scope.cancel()


async def test_jobs_wait_for_the_first_worker(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        jobs = triomq.JobSender(ctx)
        async with jobs:
            nursery.start_soon(jobs.send, b"early")
            await settle()
            assert jobs.statistics().tasks_waiting_send == 1
            worker = triomq.JobReceiver(ctx)
            worker.connect(await jobs.bind("tcp://127.0.0.1:0"))
            assert await worker.receive() == (b"early",)
            await worker.done()


@pytest.mark.parametrize("receiver_binds", [False, True])
async def test_either_side_binds(receiver_binds: bool, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx, triomq.JobReceiver(ctx) as worker, triomq.JobSender(ctx) as jobs:
        if receiver_binds:
            jobs.connect(await worker.bind("tcp://127.0.0.1:0"))
        else:
            worker.connect(await jobs.bind("tcp://127.0.0.1:0"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(jobs.send, [b"several", b"", b"frames"])
            assert await worker.receive() == (b"several", b"", b"frames")
            await worker.done()


# --- done, and results -----------------------------------------------------------------------------


async def test_a_request_gets_the_result_of_its_own_job(virtual_network: VirtualNetwork) -> None:
    async def work(ctx: triomq.Context, where: str) -> None:
        async with triomq.JobReceiver(ctx, credit=2) as worker:
            worker.connect(where)
            async for job in worker:
                await trio.sleep(1 / (1 + int(job[0])))
                await worker.done([b"square", b"%d" % int(job[0]) ** 2])

    results = {}

    async def ask(number: int) -> None:
        results[number] = await jobs.request(b"%d" % number)

    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        async with triomq.JobSender(ctx) as jobs:
            where = await jobs.bind("tcp://127.0.0.1:0")
            for _ in range(3):
                nursery.start_soon(work, ctx, where)
            async with trio.open_nursery() as asking:
                for number in range(20):
                    asking.start_soon(ask, number)
        nursery.cancel_scope.cancel()
    assert results == {number: (b"square", b"%d" % number**2) for number in range(20)}
    assert jobs.statistics().jobs_done == 20


async def test_the_next_job_says_that_the_last_one_is_done(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx, channel(ctx) as (jobs, worker), trio.open_nursery() as nursery:
        answers: list[triomq.Message] = []

        async def ask() -> None:
            answers.append(await jobs.request(b"first"))

        nursery.start_soon(ask)
        assert await worker.receive() == (b"first",)
        await settle()
        assert answers == []
        nursery.start_soon(jobs.send, b"second")
        assert await worker.receive() == (b"second",)
        await settle()
        assert answers == [(b"",)]
        await worker.done()
        with pytest.raises(triomq.WrongStateError, match="no job is in hand"):
            await worker.done()


async def test_leaving_the_block_waits_for_the_jobs(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        worker = triomq.JobReceiver(ctx)

        async def work() -> None:
            await worker.receive()
            await trio.sleep(100)
            await worker.done()

        nursery.start_soon(work)
        async with triomq.JobSender(ctx) as jobs:
            worker.connect(await jobs.bind("tcp://127.0.0.1:0"))
            await jobs.send(b"long work")
            sent = trio.current_time()
        assert trio.current_time() - sent >= 100
        with pytest.raises(trio.ClosedResourceError, match="this channel is closed"):
            await jobs.send(b"too late")
        assert repr(jobs) == "<triomq.JobSender closed>"


# --- options and errors ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "options", "error", "text"),
    [
        ("JobSender", {"max_credit": 0}, ValueError, "max_credit=0"),
        ("JobSender", {"max_credit": True}, ValueError, "max_credit=True"),
        ("JobSender", {"redo": -1}, ValueError, "redo=-1"),
        ("JobSender", {"redo": 1.5}, ValueError, r"redo=1\.5"),
        ("JobSender", {"redo": "yes"}, ValueError, "redo='yes'"),
        ("JobSender", {"send_hwm": 5}, TypeError, "JobSender has no option 'send_hwm'"),
        ("JobSender", {"hwm": 5}, TypeError, "JobSender has no option 'hwm'"),
        ("JobSender", {"conflate": True}, TypeError, "means nothing for ROUTER"),
        ("JobReceiver", {"credit": 0}, ValueError, "credit=0"),
        ("JobReceiver", {"credit": 10**9}, ValueError, "credit=1000000000"),
        ("JobReceiver", {"probe_router": False}, TypeError, "JobReceiver has no option 'probe_router'"),
        ("JobReceiver", {"linger": -1}, ValueError, "linger"),
    ],
)
async def test_wrong_options(kind: str, options: dict[str, Any], error: type[Exception], text: str) -> None:
    async with triomq.open_context() as ctx:
        with pytest.raises(error, match=text):
            getattr(triomq, kind)(ctx, **options)
        assert ctx.sockets == ()


async def test_options_of_the_sockets() -> None:
    async with triomq.open_context() as ctx:
        jobs = triomq.JobSender(ctx, redo=math.inf, linger=5)
        assert (jobs.socket.options.heartbeat_interval, jobs.socket.options.linger) == (10, 5)
        worker = triomq.JobReceiver(ctx, heartbeat_interval=0)
        assert (worker.socket.options.heartbeat_interval, worker.socket.options.heartbeat_timeout) == (0, None)


async def test_too_many_frames_are_refused_at_the_call(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        async with triomq.JobSender(ctx, max_frames=6) as jobs, triomq.JobReceiver(ctx, max_frames=6) as worker:
            worker.connect(await jobs.bind("tcp://127.0.0.1:0"))
            with pytest.raises(ValueError, match="a job of 3 frames; max_frames=6 allows 2"):
                await jobs.send([b""] * 3)
            with pytest.raises(TypeError, match="a message is made of bytes"):
                await jobs.send("text")  # type: ignore[arg-type]
            async with trio.open_nursery() as nursery:
                nursery.start_soon(jobs.send, [b""] * 2)
                await worker.receive()
            with pytest.raises(ValueError, match="a result of 3 frames; max_frames=6 allows 2"):
                await worker.done([b""] * 3)
            await worker.done([b""] * 2)


async def test_a_receiver_has_one_sender_and_one_task(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        worker = triomq.JobReceiver(ctx)
        worker.connect("inproc://jobs")
        worker.connect("inproc://jobs")
        with pytest.raises(triomq.WrongStateError, match="it has its sender at inproc://jobs"):
            worker.connect("inproc://others")
        with pytest.raises(triomq.WrongStateError, match="it has its sender at inproc://jobs"):
            await worker.bind("inproc://others")
        nursery.start_soon(worker.receive)
        await settle()
        with pytest.raises(trio.BusyResourceError, match="another task waits"):
            await worker.receive()
        nursery.cancel_scope.cancel()


async def test_a_sender_is_used_in_its_block(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        jobs = triomq.JobSender(ctx)
        with pytest.raises(RuntimeError, match=r"JobSender\.request: use the channel in a block"):
            await jobs.request(b"")
        async with jobs:
            with pytest.raises(RuntimeError, match="entered before"):
                await jobs.__aenter__()
