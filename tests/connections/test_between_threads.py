"""Sockets of trio runs in different threads, which meet by shared names: nobody hangs, nothing accepted is lost."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref
from typing import Any

import pytest
import trio
import trio.testing

import triomq

from .rounds import NAME, round_of_anything, round_of_pushes, stream
from .runs import Run, run_together, start, switching_often

often = pytest.mark.parametrize("often", [False, True], ids=["as-always", "switching-often"])


@often
@pytest.mark.parametrize("batches", [False, True], ids=["one-by-one", "in-batches"])
def test_ten_thousand_messages_arrive_each_once_and_in_order(often: bool, batches: bool) -> None:
    with switching_often(often):
        stream(10_000, batches=batches)


@pytest.mark.soak
@often
@pytest.mark.parametrize("batches", [False, True], ids=["one-by-one", "in-batches"])
def test_a_million_messages_arrive_each_once_and_in_order(often: bool, batches: bool) -> None:
    with switching_often(often):
        stream(1_000_000, batches=batches)


@often
def test_what_was_accepted_is_received_however_the_senders_end(often: bool) -> None:
    with switching_often(often):
        assert sum(round_of_pushes(seed) for seed in range(60)) > 500


@often
def test_whoever_goes_nobody_hangs(often: bool) -> None:
    with switching_often(often):
        for seed in range(80):
            round_of_anything(seed)


@pytest.mark.soak
@often
def test_ten_thousand_rounds(often: bool) -> None:
    with switching_often(often):
        for seed in range(1000, 3500):
            round_of_pushes(seed)
            round_of_anything(seed)


# --- two threads --------------------------------------------------------------------------------------


def test_requests_and_replies_between_threads() -> None:
    names = triomq.SharedNames()

    async def serve() -> None:
        async with triomq.open_context(inproc=names) as ctx:
            rep = ctx.socket(triomq.REP)
            await rep.bind(NAME)
            for _ in range(200):
                await rep.send([b"re", *await rep.receive()])

    async def ask() -> None:
        async with triomq.open_context(inproc=names) as ctx:
            req = ctx.socket(triomq.REQ, connect=NAME)
            for number in range(200):
                assert await req.request(b"%d" % number) == (b"re", b"%d" % number)

    run_together(serve, ask)


def test_one_publisher_and_subscribers_in_several_threads() -> None:
    names = triomq.SharedNames()

    async def publish() -> None:
        async with triomq.open_context(inproc=names) as ctx:
            pub = ctx.socket(triomq.PUB, hwm=0)
            await pub.bind(NAME)
            await pub.wait_subscribers(b"0", 3)
            await pub.send_many([b"%d" % number for number in range(300)])
            await pub.wait_peers(0)

    async def subscribe() -> None:
        async with triomq.open_context(inproc=names) as ctx:
            sub = ctx.socket(triomq.SUB, hwm=0, connect=NAME, topics=[b"0", b"1"])
            wanted = [number for number in range(300) if str(number)[0] in "01"]
            assert [int(bytes(await sub.receive())) for _ in wanted] == wanted

    run_together(publish, subscribe, subscribe, subscribe)


def test_a_full_receiver_holds_the_sender_up_and_lets_it_go_on() -> None:
    """However small the queues are."""
    names = triomq.SharedNames()

    async def push() -> None:
        async with triomq.open_context(inproc=names) as ctx:
            socket = ctx.socket(triomq.PUSH, hwm=1, connect=NAME)
            for number in range(1000):
                await socket.send(b"%d" % number)
            assert socket.statistics().hwm_reached > 0

    async def pull() -> None:
        async with triomq.open_context(inproc=names) as ctx:
            socket = ctx.socket(triomq.PULL, hwm=1)
            await socket.bind(NAME)
            assert [int(bytes(await socket.receive())) for _ in range(1000)] == list(range(1000))

    run_together(push, pull)


def test_a_socket_of_another_thread_is_still_refused() -> None:
    async def main() -> None:
        async with triomq.open_context(inproc=triomq.SharedNames()) as ctx:
            pull = ctx.socket(triomq.PULL)
            with pytest.raises(triomq.WrongThreadError):
                await trio.to_thread.run_sync(pull.receive_nowait)

    trio.run(main)


def test_exactly_the_sum_is_accepted_by_a_run_that_does_not_run() -> None:
    """The receiver's thread stands still: what it has not even looked at counts."""
    names, stands, go_on = triomq.SharedNames(), threading.Event(), threading.Event()

    async def pull() -> None:
        async with triomq.open_context(inproc=names) as ctx:
            socket = ctx.socket(triomq.PULL, receive_hwm=7)
            await socket.bind(NAME)
            await socket.wait_peers()
            await socket.receive()
            stands.set()
            go_on.wait()
            assert [int(bytes(await socket.receive())) for _ in range(12)] == list(range(12))

    async def push() -> None:
        async with triomq.open_context(inproc=names) as ctx:
            socket = ctx.socket(triomq.PUSH, send_hwm=5, connect=NAME)
            await socket.send(b"begin")
            while not stands.is_set():
                await trio.lowlevel.checkpoint()
            accepted = 0
            with pytest.raises(trio.WouldBlock):
                while True:
                    socket.send_nowait(b"%d" % accepted)
                    accepted += 1
            go_on.set()
            assert accepted == 12

    run_together(pull, push)


# --- the end of a run ---------------------------------------------------------------------------------

WAYS = ("returns", "is cancelled", "fails")


@pytest.mark.parametrize("way", WAYS)
def test_tasks_that_wait_for_a_run_that_ends_know_that_the_peer_has_left(way: str) -> None:
    """One that waits to send to it, one that waits for it to go."""
    names = triomq.SharedNames()

    async def goes() -> None:
        with trio.CancelScope() as scope:
            async with triomq.open_context(inproc=names) as ctx:
                pull = ctx.socket(triomq.PULL, hwm=1)
                await pull.bind(NAME)
                await pull.wait_peers()
                await pull.receive()
                if way == "is cancelled":
                    scope.cancel()
                    await trio.lowlevel.checkpoint()
                elif way == "fails":
                    raise RuntimeError("planned")

    async def stays() -> None:
        run = start(goes)
        async with triomq.open_context(inproc=names) as ctx:
            push = ctx.socket(triomq.PUSH, hwm=1, linger=0, immediate=True, connect=NAME)
            await push.wait_peers()
            sent = 0
            with trio.move_on_after(120) as scope:
                async with trio.open_nursery() as nursery:

                    async def send() -> None:
                        nonlocal sent
                        while True:
                            await push.send(b"it")
                            sent += 1

                    nursery.start_soon(send)
                    await push.wait_peers(0)
                    nursery.cancel_scope.cancel()
            assert not scope.cancelled_caught
            assert sent >= 1
            if way == "fails":
                with pytest.raises(RuntimeError, match="planned"):
                    await run.joined()
            else:
                await run.joined()

    run_together(stays)


CRASHED = """
import threading, trio, triomq

class BreakingClock(trio.abc.Clock):
    broken = False
    def start_clock(self): pass
    def current_time(self): return 0.0
    def deadline_to_sleep_time(self, deadline): return 1 / 0 if self.broken else deadline

names, clock = triomq.SharedNames(), BreakingClock()

async def crashes():
    async with triomq.open_context(inproc=names) as ctx:
        push = ctx.socket(triomq.PUSH, connect="inproc://it")
        await push.wait_peers()
        push.send_nowait(b"last words")
        clock.broken = True
        await trio.lowlevel.checkpoint()

def run_and_crash():
    try:
        trio.run(crashes, clock=clock)
    except trio.TrioInternalError:
        pass

async def stays():
    async with triomq.open_context(inproc=names) as ctx:
        pull = ctx.socket(triomq.PULL)
        await pull.bind("inproc://it")
        monitor = pull.monitor()
        thread = threading.Thread(target=run_and_crash)
        thread.start()
        print((await pull.receive()).text())
        async for event in monitor:
            if isinstance(event, triomq.Disconnected):
                print("has left")
                break
        thread.join()

trio.run(stays)
"""


def test_a_run_that_trio_itself_crashes_leaves_as_a_peer_that_left() -> None:
    """In a process of its own, for trio leaves its wreck behind."""
    done = subprocess.run([sys.executable, "-c", CRASHED], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["last words", "has left"], done.stderr


# --- nothing is left ----------------------------------------------------------------------------------


def test_of_a_run_that_has_ended_nothing_is_kept() -> None:
    """Neither its token nor its context, by the names or by the run that goes on; threads and files by the guard."""
    names = triomq.SharedNames()
    kept: list[weakref.ref[Any]] = []

    async def goes() -> None:
        async with triomq.open_context(inproc=names) as ctx:
            pair = ctx.socket(triomq.PAIR, connect=NAME)
            await pair.send(await pair.receive())
            kept.extend(map(weakref.ref, (trio.lowlevel.current_trio_token(), ctx, ctx._shared.runtime, pair)))

    async def stays() -> None:
        async with triomq.open_context(inproc=names) as ctx:
            pair = ctx.socket(triomq.PAIR)
            await pair.bind(NAME)
            for _ in range(5):
                run = start(goes)
                await pair.send(b"it")
                await pair.receive()
                await run.joined()
                await pair.wait_peers(0)
                await trio.testing.wait_all_tasks_blocked()
            del run
            gc.collect()
            assert [ref() for ref in kept] == [None] * 20

    run_together(stays)


def test_no_cycle_keeps_a_link() -> None:
    """What two contexts had of each other goes without the garbage collector."""
    names = triomq.SharedNames()

    async def main() -> None:
        async with triomq.open_context(inproc=names) as one, triomq.open_context(inproc=names) as two:
            pull, push = one.socket(triomq.PULL), two.socket(triomq.PUSH)
            push.connect(await pull.bind(NAME))
            await push.wait_peers()
            (pipe,) = push._peers.pipes
            end = weakref.ref(pipe.sink)
            del pipe
            await push.send(b"it")
            await pull.receive()
            gc.disable()
            try:
                await push.aclose()
                del push
                await trio.testing.wait_all_tasks_blocked()
                assert end() is None
            finally:
                gc.enable()

    trio.run(main)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_has_names_of_its_own() -> None:
    """The threads of the parent are not there: their names are free, and nobody waits for them."""
    program = """
import os, trio, triomq

names = triomq.SharedNames()

async def child():
    async with triomq.open_context(inproc=names) as ctx:
        pull = ctx.socket(triomq.PULL, bind="inproc://it")
        async with pull:
            ctx.socket(triomq.PUSH, connect="inproc://it").send_nowait(b"child")
            print((await pull.receive()).text(), flush=True)

async def main():
    async with triomq.open_context(inproc=names) as ctx:
        pull = ctx.socket(triomq.PULL)
        await pull.bind("inproc://it")
        pid = os.fork()
        if not pid:
            try:
                names_of_the_child = repr(names)
            finally:
                print(names_of_the_child, flush=True)
            import threading
            thread = threading.Thread(target=trio.run, args=(child,))
            thread.start()
            thread.join()
            os._exit(0)
        os.waitpid(pid, 0)
        ctx.socket(triomq.PUSH, connect="inproc://it").send_nowait(b"parent")
        print((await pull.receive()).text())

trio.run(main)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    expected = ["<triomq.SharedNames 0 bound, 0 contexts>", "child", "parent"]
    assert done.stdout.splitlines() == expected, done.stderr


def test_a_failing_run_is_seen_by_the_tests() -> None:
    """The helper itself: an assertion in a thread fails the test."""

    async def fails() -> None:
        raise AssertionError("in a thread")

    with pytest.raises(AssertionError, match="in a thread"):
        run_together(fails)
    with pytest.raises(AssertionError, match="in a thread"):
        Run(fails).join()
