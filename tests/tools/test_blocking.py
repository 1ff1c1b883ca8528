"""Blocking handles: worker threads receive and send by plain calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
import trio

import triomq

from .workers import Bench, Thread, error_of, open_bench, until, until_received_from


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with open_bench() as bench:
        yield bench


async def test_a_worker_receives_and_replies(bench, nursery):
    rep, req = await bench.pair(triomq.REP, triomq.REQ)
    handle = triomq.blocking(rep)

    def serve() -> int:
        count = 0
        for request in handle:
            handle.send(request.text().upper().encode())
            count += 1
        return count

    worker = Thread(nursery, serve)
    assert [bytes(await req.request(word)) for word in (b"one", b"two", b"three")] == [b"ONE", b"TWO", b"THREE"]
    handle.stop()
    await worker.ended.wait()
    assert worker.result == 3


async def test_a_reply_and_the_next_request_are_one_trip(bench, nursery):
    rep, req = await bench.pair(triomq.REP, triomq.REQ)
    handle = triomq.blocking(rep)

    def serve() -> None:
        request = handle.receive()
        while True:
            request = handle.exchange(bytes(request) * 2)

    worker = Thread(nursery, partial(error_of, trio.EndOfChannel, serve))
    assert [bytes(await req.request(word)) for word in (b"1", b"2")] == [b"11", b"22"]
    await until_received_from(rep)
    handle.stop()
    await worker.ended.wait()
    assert "was stopped" in str(worker.result)


async def test_the_exchange_of_a_req_is_its_request(bench, nursery):
    rep, req = await bench.pair(triomq.REP, triomq.REQ)
    asker = triomq.blocking(req)
    worker = Thread(nursery, lambda: [bytes(asker.exchange(b"%d" % number)) for number in range(3)])
    for _ in range(3):
        await rep.send(b"re " + bytes(await rep.receive()))
    await worker.ended.wait()
    assert worker.result == [b"re 0", b"re 1", b"re 2"]


async def test_many_messages_in_one_trip(bench):
    push, pull = await bench.pair(triomq.PUSH, triomq.PULL)
    source, sink = triomq.blocking(pull), triomq.blocking(push)
    trips = count_trips(source, sink)

    def work() -> list[list[bytes]]:
        sink.send_many(b"%d" % number for number in range(100))
        batches = source.batches(60)
        return [list(map(bytes, next(batches))) for _ in range(2)]

    batches = await trio.to_thread.run_sync(work)
    assert [len(batch) for batch in batches] == [60, 40]
    assert [*batches[0], *batches[1]] == [b"%d" % number for number in range(100)]
    assert trips == ["send_many", "receive_many", "receive_many"]


def count_trips(*handles: Any) -> list[str]:
    """The trips to come, each by the name of its call."""
    trips: list[str] = []

    def noted(trip: Callable[..., Any], what: str, *args: Any) -> Any:
        trips.append(what)
        return trip(what, *args)

    for handle in handles:
        handle._trip = partial(noted, handle._trip)
    return trips


async def test_batches_end_when_the_handle_is_stopped(bench, nursery):
    push, pull = await bench.pair(triomq.PUSH, triomq.PULL)
    handle = triomq.blocking(pull)
    worker = Thread(nursery, lambda: list(handle.batches(10)))
    await until_received_from(pull)
    await push.send(b"1")
    await until_received_from(pull)
    handle.stop()
    await worker.ended.wait()
    assert worker.result == [[(b"1",)]]


async def test_threads_share_a_handle(bench, nursery):
    push, pull = await bench.pair(triomq.PUSH, triomq.PULL)
    handle = triomq.blocking(pull)
    workers = [Thread(nursery, lambda: [int(message.text()) for message in handle]) for _ in range(5)]
    await until_received_from(pull, 5)
    await push.send_many([b"%d" % number for number in range(500)])
    await until(lambda: pull.statistics().peers[0].receive_queue == 0)
    await until_received_from(pull, 5)
    handle.stop()
    for worker in workers:
        await worker.ended.wait()
        assert worker.result == sorted(worker.result)
    assert sorted(number for worker in workers for number in worker.result) == list(range(500))


async def test_other_channels(bench):
    rep, req = await bench.pair(triomq.REP, triomq.REQ)
    pull_push = [await bench.pair(triomq.PULL, triomq.PUSH) for _ in range(2)]
    merged = triomq.merge(*(pull for pull, _ in pull_push))
    memory_send, memory_receive = trio.open_memory_channel[int](3)
    handles = [triomq.blocking(channel) for channel in (merged, triomq.codec(rep, str), triomq.codec(req, str))]
    sender, receiver = triomq.blocking(memory_send), triomq.blocking(memory_receive)
    assert [type(handle) for handle in (*handles, sender, receiver)] == [
        triomq.BlockingReceiver, triomq.BlockingChannel, triomq.BlockingChannel, triomq.BlockingSender,
        triomq.BlockingReceiver,
    ]  # fmt: skip

    def work() -> list[Any]:
        sender.send_many([1, 2, 3])
        return [receiver.receive_many(10), handles[0].receive()[1], list(receiver)]

    async def send() -> None:
        await until(lambda: memory_receive.statistics().current_buffer_used == 2)
        await pull_push[1][1].send(b"of the second")
        await until(lambda: memory_receive.statistics().tasks_waiting_receive == 1)
        await memory_send.aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        assert await trio.to_thread.run_sync(work) == [[1], (b"of the second",), [2, 3]]


async def test_jobs(bench, nursery):
    """What is sent is the result of the job in hand; a loop that begins anew gives the job of the last one up."""
    async with triomq.JobSender(bench.ctx, redo=True) as jobs, triomq.JobReceiver(bench.ctx) as receiver:
        receiver.connect(await jobs.bind("inproc://jobs"))
        handle = triomq.blocking(receiver)

        def work() -> None:
            for _ in handle:
                break  # of the first nothing comes
            for job in handle:
                handle.send(b"done " + bytes(job))

        worker = Thread(nursery, work)
        assert [bytes(await jobs.request(job)) for job in (b"1", b"2")] == [b"done 1", b"done 2"]
        assert jobs.statistics().jobs_repeated == 1
        handle.stop()
        await worker.ended.wait()
