"""A connection that was given back is read on, once the task that gave it back is elsewhere."""

from __future__ import annotations

import queue
from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import triomq
from triomq._runtime import Turn
from triomq._runtime._turn_end import turn_end


class Connection:
    """Stands for a reader."""

    def __init__(self, rests: int = 0) -> None:
        self.borrowed = False
        self.rests = rests  # at the ends of so many turns
        self.resumed = 0

    def may_rest(self) -> bool:
        self.rests -= 1
        return self.rests >= 0

    def resume(self) -> None:
        self.resumed += 1


async def test_resumed_when_the_turn_ends_and_not_before() -> None:
    connection = Connection()
    with turn_end() as turn:
        turn.resume_unless_borrowed(connection)
        assert connection.resumed == 0
        await trio.lowlevel.checkpoint()
        assert connection.resumed == 1
        await trio.lowlevel.checkpoint()
        assert connection.resumed == 1


async def test_not_resumed_when_it_was_borrowed_again() -> None:
    connection = Connection()
    with turn_end() as turn:
        turn.resume_unless_borrowed(connection)
        connection.borrowed = True
        await wait_all_tasks_blocked()
        assert connection.resumed == 0


async def test_not_resumed_while_it_may_rest() -> None:
    connection = Connection(rests=2)
    with turn_end() as turn:
        turn.resume_unless_borrowed(connection)
        for _ in range(2):
            await Turn(1, turn).end()
            assert connection.resumed == 0
        for _ in range(2):
            await Turn(1, turn).end()
            assert connection.resumed == 1


async def test_none_rests_unless_a_task_has_used_up_its_turn() -> None:
    """Who is at work on what a connection has brought would run on; trio may be about to sleep."""
    connection = Connection(rests=2)
    with turn_end() as turn:
        await Turn(1, turn).end()
        turn.resume_unless_borrowed(connection)
        await trio.lowlevel.checkpoint()
        assert (connection.resumed, connection.rests) == (1, 2)


async def test_what_can_run_then_runs_before_trio_waits(mock_clock: MockClock) -> None:
    woken = trio.Event()

    class Wakes(Connection):
        def resume(self) -> None:
            woken.set()

    with turn_end() as turn:
        turn.resume_unless_borrowed(Wakes())
        await woken.wait()  # for ever, if trio went to sleep over it


async def test_one_for_all_contexts_of_a_run_and_none_left_behind() -> None:
    with turn_end() as first:
        with turn_end() as second:
            assert first is second
        first.resume_unless_borrowed(connection := Connection())
        await trio.lowlevel.checkpoint()
        assert connection.resumed == 1
    with pytest.raises(KeyError):
        trio.lowlevel.remove_instrument(first)
    with turn_end() as third:
        assert third is not first


def test_as_a_guest_of_another_loop() -> None:
    """There the loop waits in a thread: a peer that leaves is noticed although the last receiver is elsewhere."""

    async def main() -> str:
        async with triomq.open_context() as context:
            pull, push = context.socket(triomq.PULL), context.socket(triomq.PUSH)
            events = pull.monitor()
            push.connect(await pull.bind("tcp://127.0.0.1:0"))
            await push.wait_peers()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(push.send, b"hello")
                message = await pull.receive()
            await push.aclose()
            async for event in events:
                if isinstance(event, triomq.Disconnected):
                    break
            return message.text()

    jobs: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
    outcomes = []
    trio.lowlevel.start_guest_run(main, run_sync_soon_threadsafe=jobs.put, done_callback=outcomes.append)
    while not outcomes:
        jobs.get(timeout=60)()
    assert outcomes[0].unwrap() == "hello"
