"""Every method of a job channel, cancelled at its first, second, third … yield, asleep and just woken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from .kit import Outcome, cancel_at, endpoint_of
from .test_every_checkpoint import at_every_yield, every_scheme

settle = trio.testing.wait_all_tasks_blocked


@asynccontextmanager
async def opened(
    net: VirtualNetwork, scheme: str, *, redo: bool = True
) -> AsyncIterator[tuple[triomq.JobSender, triomq.JobReceiver, trio.Nursery]]:
    async with net.open_context() as ctx, trio.open_nursery() as nursery:
        async with triomq.JobSender(ctx, redo=redo) as jobs, triomq.JobReceiver(ctx) as worker:
            worker.connect(await jobs.bind(endpoint_of(scheme)))
            await jobs.socket.wait_peers()
            yield jobs, worker, nursery


async def ask(worker: triomq.JobReceiver) -> None:
    """Ask for a job, and leave it for the next ``receive``."""
    with trio.move_on_after(1):
        await worker.receive()


async def drain(worker: triomq.JobReceiver) -> list[bytes]:
    got = []
    with trio.move_on_after(1):
        while True:
            got.append(bytes(await worker.receive()))
    return got


@every_scheme
@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("method", ["send", "request"])
def test_a_job_is_handed_over_or_never_was(scheme: str, waits: bool, method: str) -> None:
    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        async with opened(net, scheme) as (jobs, worker, nursery):
            got: list[bytes] = []

            async def work() -> None:
                async for job in worker:
                    got.append(bytes(job))
                    await worker.done(b"result")

            if not waits:
                await ask(worker)
            nursery.start_soon(work)
            if not waits:
                await settle()
            outcome = await cancel_at(at, lambda: getattr(jobs, method)(b"it"), woken=woken)
            await trio.sleep(1)
            if method == "send" or not outcome.cancelled:
                assert got == ([] if outcome.cancelled else [b"it"])
            statistics = jobs.statistics()
            assert (statistics.jobs_done, statistics.jobs_unfinished) == (len(got), 0)
            if method == "request" and not outcome.cancelled:
                assert outcome.value == (b"result",)
            nursery.cancel_scope.cancel()
            return outcome

    at_every_yield(attempt, scheme)


@every_scheme
@pytest.mark.parametrize("early", [False, True])
def test_receive_takes_a_job_or_leaves_it(scheme: str, early: bool) -> None:
    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        async with opened(net, scheme) as (jobs, worker, nursery):
            if early:
                await ask(worker)
                await jobs.send(b"it")
                await settle()
            else:
                nursery.start_soon(jobs.send, b"it")
            outcome = await cancel_at(at, worker.receive, woken=woken)
            assert await drain(worker) == ([b"it"] if outcome.cancelled else [])
            assert jobs.statistics().jobs_done == 1
            return outcome

    at_every_yield(attempt, scheme)


@every_scheme
def test_done_is_said_or_the_job_is_still_in_hand(scheme: str) -> None:
    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        async with opened(net, scheme) as (jobs, worker, nursery):
            nursery.start_soon(jobs.send, b"it")
            await worker.receive()
            outcome = await cancel_at(at, worker.done, woken=woken)
            await trio.sleep(1)
            assert jobs.statistics().jobs_unfinished == outcome.cancelled
            if outcome.cancelled:
                await worker.done()
            else:
                with pytest.raises(triomq.WrongStateError):
                    await worker.done()
            await jobs.wait_done()
            return outcome

    at_every_yield(attempt, scheme)


@pytest.mark.parametrize("method", ["wait_done", "aclose"])
def test_waiting_changes_nothing_and_closing_closes(method: str) -> None:
    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        async with opened(net, "tcp") as (jobs, worker, nursery):

            async def work() -> None:
                await worker.receive()
                await trio.sleep(1)
                await worker.done()

            nursery.start_soon(work)
            await jobs.send(b"it")
            outcome = await cancel_at(at, getattr(jobs, method), woken=woken)
            if method == "aclose":
                with pytest.raises(trio.ClosedResourceError):
                    await jobs.send(b"late")
                with pytest.raises(trio.ClosedResourceError):
                    await jobs.wait_done()
            else:
                await jobs.wait_done()
                assert jobs.statistics().jobs_done == 1
            nursery.cancel_scope.cancel()
            return outcome

    at_every_yield(attempt, "tcp")


@pytest.mark.parametrize("busy", [False, True])
def test_the_block_is_left_whatever_happens(busy: bool) -> None:
    """From before it is entered to after it is left; no exception but the cancellation comes out."""

    async def attempt(net: VirtualNetwork, at: int, woken: bool) -> Outcome:
        async with net.open_context() as ctx, trio.open_nursery() as nursery:
            jobs, worker = triomq.JobSender(ctx, linger=1), triomq.JobReceiver(ctx)
            worker.connect("tcp://localhost:5555")

            async def work() -> None:
                async for _ in worker:
                    await trio.sleep(1)

            async def use() -> None:
                async with jobs:
                    await jobs.bind("tcp://*:5555")
                    if busy:
                        await jobs.send(b"it")

            nursery.start_soon(work)
            outcome = await cancel_at(at, use, woken=woken)
            if "closed" not in repr(jobs):
                assert at == 0
                await jobs.aclose()
            with pytest.raises(trio.ClosedResourceError):
                await jobs.wait_done()
            nursery.cancel_scope.cancel()
            return outcome

    at_every_yield(attempt, "tcp")
