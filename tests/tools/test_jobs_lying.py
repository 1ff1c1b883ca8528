"""A job channel among peers that lie, or follow another protocol: they cost themselves, and nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

NONSENSE: list[tuple[bytes, ...]] = [
    (b"", b""),
    (b"nonsense",),
    (b"READY",),
    (b"READY", b"", b"1"),
    (b"READY", b"wrong token", b"1"),
    (b"READY", b"{token}", b"-1"),
    (b"READY", b"{token}", b"1e9"),
    (b"READY", b"{token}", b"9" * 5000),
    (b"DONE", b"{token}", b"77"),
    (b"DONE", b"{token}", b"", b"a result"),
    (b"DONE", b"wrong token", b"1"),
    (b"BACK", b"{token}", b"77"),
    (b"HELLO", b"{token}"),
    (b"JOB", b"{token}", b"1", b"a job for the manager"),
    tuple([b"READY"] * 500),
]


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked(0.01)


async def work(ctx: triomq.Context, endpoint: str) -> None:
    async with triomq.JobReceiver(ctx) as worker:
        worker.connect(endpoint)
        async for job in worker:
            await worker.done(job)


@asynccontextmanager
async def liar(ctx: triomq.Context, endpoint: str, **options: Any) -> AsyncIterator[tuple[Any, bytes]]:
    """A DEALER that has said hello, and the token that it was given."""
    async with ctx.socket(triomq.DEALER, linger=0, **options) as socket:
        socket.connect(endpoint)
        await socket.send(b"")
        kind, token = await socket.receive()
        assert kind == b"HELLO"
        yield socket, token


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://jobs"])
async def test_nonsense_is_counted_and_costs_nobody_anything(endpoint: str, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        async with triomq.JobSender(ctx, redo=True) as jobs:
            where = await jobs.bind(endpoint)
            nursery.start_soon(work, ctx, where)
            async with liar(ctx, where) as (socket, token):
                for message in NONSENSE:
                    await socket.send([frame.replace(b"{token}", token) for frame in message])
                    assert await jobs.request(b"go on") == (b"go on",)
                await settle()
                assert jobs.statistics().messages_ignored == len(NONSENSE)
                assert jobs.statistics().workers == 2
        nursery.cancel_scope.cancel()


async def test_one_that_asks_for_all_jobs_gets_max_credit(virtual_network: VirtualNetwork) -> None:
    """And when it leaves, others do them."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        async with triomq.JobSender(ctx, redo=True, max_credit=5) as jobs:
            where = await jobs.bind("tcp://127.0.0.1:0")
            async with liar(ctx, where) as (socket, token):
                for _ in range(100):
                    await socket.send([b"READY", token, b"999999999"])
                await settle()
                for number in range(5):
                    await jobs.send(b"%d" % number)
                with trio.move_on_after(1) as scope:
                    await jobs.send(b"one more")
                assert scope.cancelled_caught
                nursery.start_soon(work, ctx, where)
                for number in range(50):
                    assert await jobs.request(b"%d" % number) == (b"%d" % number,)
                assert jobs.statistics().jobs_unfinished == 5
            await jobs.wait_done()
            assert (jobs.statistics().jobs_done, jobs.statistics().jobs_repeated) == (55, 5)
        nursery.cancel_scope.cancel()


async def test_nobody_can_finish_the_job_of_another(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx, triomq.JobSender(ctx) as jobs:
        where = await jobs.bind("tcp://127.0.0.1:0")
        async with liar(ctx, where) as (one, token), liar(ctx, where) as (other, other_token):
            await one.send([b"READY", token, b"1"])
            await settle()
            await jobs.send(b"it")
            _, _, number, _ = await one.receive()
            for kind in (b"DONE", b"BACK"):
                for said in (token, other_token):
                    await other.send([kind, said, number])
            await settle()
            assert jobs.statistics().messages_ignored == 4
            assert jobs.statistics().jobs_unfinished == 1
            await one.send([b"DONE", token, number])
            await one.send([b"DONE", token, number])  # once is enough
            await settle()
            assert jobs.statistics().jobs_done == 1
            assert jobs.statistics().messages_ignored == 5


async def test_hellos_without_end_take_no_memory(virtual_network: VirtualNetwork) -> None:
    """From one that never reads, and from many that come and go."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        async with triomq.JobSender(ctx, heartbeat_interval=0, send_buffer=5000) as jobs:
            where = await jobs.bind("tcp://127.0.0.1:0")
            nursery.start_soon(work, ctx, where)
            async with liar(ctx, where, receive_hwm=1, receive_buffer=5000) as (socket, _):
                for _ in range(3000):
                    await socket.send(b"")
                await settle()
                statistics = jobs.socket.statistics()
                assert max(peer.send_queue for peer in statistics.peers) == 116  # max_credit and some
                assert sum(peer.receive_queue for peer in statistics.peers) == 0
                assert jobs.statistics().messages_ignored > 1000  # it was not answered any more
            for _ in range(50):
                async with liar(ctx, where) as (socket, token):
                    await socket.send([b"READY", token, b"1"])
            await settle()
            assert jobs.statistics().workers == 1
            assert await jobs.request(b"go on") == (b"go on",)
        nursery.cancel_scope.cancel()


async def test_one_that_takes_nothing_is_no_worker_any_more(virtual_network: VirtualNetwork) -> None:
    """It asks for much, reads nothing, and says hello without end; the jobs that it was given go to others."""
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        async with triomq.JobSender(ctx, redo=True, max_credit=2, send_buffer=5000) as jobs:
            where = await jobs.bind("tcp://127.0.0.1:0")
            async with liar(ctx, where, receive_hwm=1, receive_buffer=5000) as (socket, token):
                await socket.send([b"READY", token, b"2"])
                await settle()
                await jobs.send(bytes(100_000))
                nursery.start_soon(work, ctx, where)
                for _ in range(2000):
                    await socket.send(b"")
                await settle()
                await jobs.wait_done()
                assert jobs.statistics().workers == 1
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    "message",
    [(b"nonsense",), (b"JOB",), (b"JOB", b"t"), (b"JOB", b"t", b"1"), (b"HELLO",), (b"HELLO", b"t", b"")],
)
async def test_a_receiver_ignores_what_has_no_meaning(
    message: tuple[bytes, ...], virtual_network: VirtualNetwork
) -> None:
    async with virtual_network.open_context() as ctx, triomq.JobReceiver(ctx) as worker:
        router = ctx.socket(triomq.ROUTER, linger=0)
        worker.connect(await router.bind("tcp://127.0.0.1:0"))
        name, _ = await router.receive()
        for said in (message, (b"HELLO", b"t"), message, (b"JOB", b"t", b"1", b"it"), message):
            await router.send([name, *said])
        assert await worker.receive() == (b"it",)
        with trio.move_on_after(1):
            await worker.receive()
        assert worker.messages_ignored == 3
        said = [tuple(await router.receive())[1:] for _ in range(3)]
        assert said == [(b"READY", b"t", b"1"), (b"DONE", b"t", b"1", b""), (b"READY", b"t", b"1")]
