"""How worker threads with blocking handles end, and which calls are refused."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
import trio

import triomq

from ..forks import in_child
from .workers import Bench, Thread, error_of, open_bench, until_received_from


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with open_bench() as bench:
        yield bench


# --- how it ends ---------------------------------------------------------------------------------------


async def test_a_cancelled_worker_ends_and_takes_nothing(bench, nursery):
    push, pull = await bench.pair(triomq.PUSH, triomq.PULL)
    handle = triomq.blocking(pull)
    worker = Thread(nursery, lambda: list(handle))
    await until_received_from(pull)
    worker.scope.cancel(reason="the test is over")
    await worker.ended.wait()
    assert type(worker.error) is trio.Cancelled
    await push.send(b"for the next")
    assert await pull.receive() == (b"for the next",)


async def test_a_worker_that_is_cancelled_while_it_computes_ends_at_its_next_call(bench, nursery):
    push, pull = await bench.pair(triomq.PUSH, triomq.PULL)
    handle, go_on = triomq.blocking(pull), threading.Event()
    computing = trio.Event()

    def work() -> None:
        for message in handle:
            assert bytes(message) == b"1"
            trio.from_thread.run_sync(computing.set)
            go_on.wait()

    worker = Thread(nursery, work)
    await push.send_many([b"1", b"2"])
    await computing.wait()
    worker.scope.cancel()
    go_on.set()
    await worker.ended.wait()
    assert type(worker.error) is trio.Cancelled
    assert pull.receive_nowait() == (b"2",)


async def test_a_worker_that_swallows_its_cancellation_gets_it_again(bench, nursery):
    push, pull = await bench.pair(triomq.PUSH, triomq.PULL)
    source, sink = triomq.blocking(pull), triomq.blocking(push)
    calls = [
        source.receive, source.__next__, partial(source.receive_many, 1), partial(iter, source),
        partial(sink.send, b"never"), partial(sink.send_many, [b"never"]),
    ]  # fmt: skip

    def refused(call: Callable[[], Any]) -> bool:
        try:
            call()
        except trio.Cancelled:
            return True
        return False

    def work() -> list[bool]:
        return [refused(call) for call in (source.receive, *calls)]

    worker = Thread(nursery, work)
    await until_received_from(pull)
    worker.scope.cancel()
    await worker.ended.wait()
    assert worker.result == [True] * 7
    with pytest.raises(trio.WouldBlock):
        pull.receive_nowait()


def test_ctrl_c_ends_a_worker_that_waits():
    seen = []

    def serve(handle: triomq.BlockingReceiver[triomq.Message]) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            handle.receive()
        except KeyboardInterrupt:
            seen.append("interrupted")
            raise

    async def main() -> None:
        with trio.fail_after(20):
            async with triomq.open_context() as ctx:
                pull = ctx.socket(triomq.PULL, bind="inproc://it")
                async with pull:
                    await trio.to_thread.run_sync(serve, triomq.blocking(pull))

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            trio.run(main)
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == ["interrupted"]


async def test_a_socket_that_is_closed_ends_its_workers(bench, nursery):
    _, pull = await bench.pair(triomq.PUSH, triomq.PULL)
    handle = triomq.blocking(pull)
    worker = Thread(nursery, partial(error_of, trio.ClosedResourceError, handle.receive))
    await until_received_from(pull)
    await pull.aclose()
    await worker.ended.wait()
    assert "closed while it waited" in str(worker.result)


async def test_a_stopped_handle_leaves_the_rest_in_the_socket(bench):
    push, pull = await bench.pair(triomq.PUSH, triomq.PULL)
    handle = triomq.blocking(pull)
    await push.send(b"1")
    handle.stop()
    assert await trio.to_thread.run_sync(list, handle) == []
    assert pull.receive_nowait() == (b"1",)


async def test_a_stopped_handle_finishes_a_request(bench, nursery):
    rep, req = await bench.pair(triomq.REP, triomq.REQ)
    handle = triomq.blocking(req)
    worker = Thread(nursery, partial(handle.exchange, b"question"))
    await until_received_from(req)
    handle.stop()
    await rep.send(b"answer to " + bytes(await rep.receive()))
    await worker.ended.wait()
    assert worker.result == (b"answer to question",)


async def test_what_a_worker_raises_comes_out_of_its_task(bench):
    push, pull = await bench.pair(triomq.PUSH, triomq.PULL)
    handle = triomq.blocking(pull)
    await push.send(b"no number")
    with pytest.raises(ValueError, match="invalid literal"):
        await trio.to_thread.run_sync(lambda: [int(message.text()) for message in handle])


# --- what is refused -----------------------------------------------------------------------------------


async def test_the_thread_of_trio_is_refused(bench):
    push, pull = await bench.pair(triomq.PUSH, triomq.PULL)
    for call in (triomq.blocking(pull).receive, partial(iter, triomq.blocking(pull))):
        with pytest.raises(triomq.WrongThreadError, match=r"this is trio's own: use the channel itself"):
            call()
    with pytest.raises(triomq.WrongThreadError, match=r"BlockingSender\.send blocks its thread"):
        triomq.blocking(push).send(b"1")


async def test_a_thread_that_trio_did_not_start_is_refused(bench):
    _, pull = await bench.pair(triomq.PUSH, triomq.PULL)
    handle = triomq.blocking(pull)
    errors: list[BaseException] = []

    def foreign() -> None:
        for call in (handle.receive, handle.stop):
            try:
                call()
            except triomq.WrongThreadError as exc:
                errors.append(exc)

    thread = threading.Thread(target=foreign)
    thread.start()
    await trio.to_thread.run_sync(thread.join)
    assert "in a thread that trio did not start: start it by trio.to_thread.run_sync" in str(errors[0])
    assert errors[0].__cause__ is None
    assert "trio.from_thread.run_sync(handle.stop)" in str(errors[1])


async def test_a_thread_of_another_run_is_refused(bench):
    _, pull = await bench.pair(triomq.PUSH, triomq.PULL)
    handle = triomq.blocking(pull)

    async def elsewhere() -> None:
        with pytest.raises(triomq.WrongThreadError, match="of another trio run"):
            await trio.to_thread.run_sync(handle.receive)
        with pytest.raises(triomq.WrongThreadError, match="stop is called in the trio run"):
            handle.stop()

    await trio.to_thread.run_sync(trio.run, elsewhere)


async def test_a_worker_may_stop_its_handle_by_way_of_trio(bench):
    push, pull = await bench.pair(triomq.PUSH, triomq.PULL)
    handle = triomq.blocking(pull)
    await push.send_many([b"1", b"END", b"2"])

    def work() -> list[bytes]:
        found = []
        for message in handle:
            found.append(bytes(message))
            if found[-1] == b"END":
                trio.from_thread.run_sync(handle.stop)
        return found

    assert await trio.to_thread.run_sync(work) == [b"1", b"END"]


async def test_handles_are_made_in_the_trio_run(bench):
    push, _ = await bench.pair(triomq.PUSH, triomq.PULL)
    with pytest.raises(RuntimeError, match="is called in the trio run of the channel"):
        await trio.to_thread.run_sync(triomq.blocking, push)


async def test_wrong_arguments(bench):
    push, pull = await bench.pair(triomq.PUSH, triomq.PULL)
    with pytest.raises(TypeError, match=r"blocking\(\) takes a socket, or another trio channel, not 5"):
        triomq.blocking(5)
    with pytest.raises(TypeError, match=r"blocking\(channel\) takes a socket"):
        triomq.blocking(push, pull)
    assert not hasattr(triomq.blocking(push), "receive")
    assert not hasattr(triomq.blocking(pull), "send")
    handle = triomq.blocking(pull)
    with pytest.raises(ValueError, match="1 or more"):
        await trio.to_thread.run_sync(handle.receive_many, 0)
    with pytest.raises(TypeError, match="a whole number"):
        await trio.to_thread.run_sync(lambda: next(handle.batches("2")))
    with pytest.raises(TypeError, match="takes an iterable of messages"):
        await trio.to_thread.run_sync(triomq.blocking(push).send_many, b"12")
    with pytest.raises(TypeError, match="can be neither copied nor pickled"):
        pickle.dumps(handle)
    assert repr(handle) == f"<triomq.BlockingReceiver over {pull!r}>"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
async def test_a_forked_child_of_a_worker_is_refused(bench):
    _, pull = await bench.pair(triomq.PUSH, triomq.PULL)
    handle = triomq.blocking(pull)
    for call in (handle.receive, handle.stop):
        said = await trio.to_thread.run_sync(in_child, lambda call=call: repr(call()))
        assert said.startswith("WrongThreadError: BlockingReceiver.")
