"""A job channel with libzmq at one end: the frames are all that a program in another language needs."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import triomq

from .libzmq import Peer, Theirs, own_process

pytestmark = pytest.mark.interop

JOBS = 50


async def their_worker(worker: Theirs, share: list[bytes], begun: trio.Event) -> None:
    """What the page of the protocol says of a worker, with a job ahead."""
    while True:
        kind, token, *rest = await worker.receive()
        if kind == b"HELLO":
            await worker.send([b"READY", token, b"2"])
        elif kind == b"JOB":
            number, job = rest
            share.append(job)
            begun.set()
            await worker.send([b"DONE", token, number, b"theirs", job])
            await worker.send([b"READY", token, b"1"])


async def our_worker(worker: triomq.JobReceiver, share: list[bytes]) -> None:
    async for job in worker:
        share.append(bytes(job))
        await worker.done([b"ours", *job])


async def test_workers_of_both_kinds(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    theirs: list[bytes] = []
    ours: list[bytes] = []
    begun = trio.Event()
    results: list[tuple[bytes, ...]] = []

    async def ask(jobs: triomq.JobSender, number: int) -> None:
        results.append(tuple(await jobs.request(b"%d" % number)))

    async with trio.open_nursery() as working, triomq.JobSender(ctx) as jobs:
        where = await jobs.bind(endpoint)
        worker = await peer.socket("DEALER", probe_router=1)
        await worker.connect(where)
        working.start_soon(their_worker, worker, theirs, begun)
        mine = triomq.JobReceiver(ctx)
        mine.connect(where)
        await jobs.socket.wait_peers(2)
        async with trio.open_nursery() as asking:
            for number in range(JOBS):
                asking.start_soon(ask, jobs, number)
            await begun.wait()
            working.start_soon(our_worker, mine, ours)
        working.cancel_scope.cancel()
    numbers = [b"%d" % number for number in range(JOBS)]
    assert sorted(theirs + ours) == sorted(numbers)
    assert theirs
    assert ours
    assert sorted(results) == sorted([(b"theirs", job) for job in theirs] + [(b"ours", job) for job in ours])
    assert jobs.statistics().messages_ignored == 0


async def their_manager(manager: Theirs, jobs: list[bytes], results: list[tuple[bytes, ...]]) -> None:
    """What the page of the protocol says of a manager."""
    credit: dict[bytes, int] = {}
    left = list(jobs)
    while len(results) < len(jobs):
        name, *said = await manager.receive()
        match said:
            case [b""]:
                credit[name] = 0
                await manager.send([name, b"HELLO", b"token of " + name])
            case [b"READY", _, count]:
                credit[name] += int(count)
            case [b"DONE", _, number, *result]:
                results.append((number, *result))
            case _:
                raise AssertionError(said)
        while credit[name] and left:
            credit[name] -= 1
            job = left.pop(0)
            await manager.send([name, b"JOB", b"token of " + name, job, b"the job", job])


async def test_their_manager(ctx: triomq.Context, peer: Peer, endpoint: str) -> None:
    manager = await peer.socket("ROUTER", router_mandatory=1)
    where = await manager.bind(endpoint)
    shares: list[list[bytes]] = [[], []]

    async def work(share: list[bytes], credit: int) -> None:
        async with triomq.JobReceiver(ctx, credit=credit) as worker:
            worker.connect(where)
            async for _, job in worker:
                share.append(job)
                if len(share) % 2:
                    await worker.done([b"explicitly", job])

    numbers = [b"%d" % number for number in range(JOBS)]
    results: list[tuple[bytes, ...]] = []
    async with trio.open_nursery() as nursery:
        for credit, share in enumerate(shares, 1):
            nursery.start_soon(work, share, credit)
        await their_manager(manager, numbers, results)
        nursery.cancel_scope.cancel()
    assert sorted(shares[0] + shares[1]) == sorted(numbers)
    assert sorted(number for number, *_ in results) == sorted(numbers)
    assert {tuple(result) for _, *result in results} >= {(b"",), (b"explicitly", shares[0][0])}


async def test_a_worker_of_libzmq_is_killed(ctx: triomq.Context, endpoint: str) -> None:
    """The job that it had is done by another."""
    share: list[bytes] = []
    async with trio.open_nursery() as working, triomq.JobSender(ctx, redo=True) as jobs:
        where = await jobs.bind(endpoint)
        async with own_process() as peer:
            worker: Any = await peer.socket("DEALER", probe_router=1)
            await worker.connect(where)
            _, token = await worker.receive()
            await worker.send([b"READY", token, b"1"])
            await jobs.send(b"deadly")
            assert (await worker.receive())[-1] == b"deadly"
            peer.kill()
            mine = triomq.JobReceiver(ctx)
            mine.connect(where)
            working.start_soon(our_worker, mine, share)
            await jobs.wait_done()
        working.cancel_scope.cancel()
    assert share == [b"deadly"]
