"""How long a turn may be: 64 messages, or 256 of a list, and what is written afterwards no longer than 1 ms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trio
import trio.testing
from trio.testing import MockClock

import triomq
from triomq._runtime import Flusher, Turn
from triomq.testing import VirtualNetwork

from ..cancellation.kit import FLOWS, Flow, run
from ..contract.calls import every_scheme
from .turns import Stopwatch

MOST = 64
MOST_LISTED = 256
MANY = 640


class Steps(trio.abc.Instrument):
    """What each step of a task, from one schedule point to the next, adds to a count."""

    def __init__(self, count: Callable[[], float]) -> None:
        self._count = count
        self._task = trio.lowlevel.current_task()
        self._before = 0.0
        self.most = 0.0
        self.number = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """See `trio.abc.Instrument`."""
        if task is self._task:
            self._before = self._count()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """See `trio.abc.Instrument`."""
        if task is self._task:
            self.number += 1
            self.most = max(self.most, self._count() - self._before)


@contextmanager
def steps_of_this_task(count: Callable[[], float]) -> Iterator[Steps]:
    """The steps within the block, which has to begin behind a schedule point."""
    steps = Steps(count)
    trio.lowlevel.add_instrument(steps)
    try:
        yield steps
    finally:
        trio.lowlevel.remove_instrument(steps)


class Knowing:
    """Messages one by one, of which it is known how many are left, as of a list's."""

    def __init__(self, message: Any, taken: Callable[[], None], many: int = MANY) -> None:
        self._message, self._taken, self._left = message, taken, many

    def __iter__(self) -> Knowing:
        return self

    def __length_hint__(self) -> int:
        return self._left

    def __next__(self) -> Any:
        if not self._left:
            raise StopIteration
        self._left -= 1
        self._taken()
        return self._message


@every_scheme
@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_no_step_of_a_task_is_longer_than_a_turn(flow: Flow, scheme: str) -> None:
    """However it sends and receives; not on the average, but each."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            sender, receiver = await flow.open(ctx, scheme, hwm=10_000)
            message, done = flow.wrap(b"it"), 0

            def one_more() -> None:
                nonlocal done
                done += 1

            async def send() -> None:
                for _ in range(MANY):
                    await sender.send(message)
                    one_more()

            async def send_many() -> None:
                await sender.send_many(Knowing(message, one_more))

            async def receive() -> None:
                for _ in range(MANY):
                    await receiver.receive()
                    one_more()

            async def receive_many() -> None:
                for _ in range(MANY):
                    await receiver.receive_many(1)
                    one_more()

            async def longest(work: Callable[[], Awaitable[None]]) -> float:
                nonlocal done
                await trio.testing.wait_all_tasks_blocked()
                done = 0
                with steps_of_this_task(lambda: done) as steps:
                    await work()
                assert done == MANY
                return steps.most

            for way in (send, receive, send_many, receive_many):
                assert await longest(way) <= (MOST_LISTED if way is send_many else MOST), way.__name__

    run(main, scheme=scheme)


class Slow:
    """A connection that takes its time to be written to."""

    def __init__(self, clock: MockClock, seconds: float) -> None:
        self._clock, self._seconds = clock, seconds
        self.flushed = 0

    def wants_more(self, now: float) -> bool:
        """See `Flushable`."""
        return False

    def flush(self) -> None:
        """See `Flushable`."""
        self._clock.jump(self._seconds)
        self.flushed += 1


@pytest.mark.parametrize("seconds", [0.0, 5e-6, 50e-6, 120e-6])
async def test_what_was_gathered_is_written_in_turns_of_less_than_a_millisecond(
    seconds: float, mock_clock: MockClock
) -> None:
    """And of 32 connections at the most, however many there are, and however quick."""
    flusher = Flusher(Turn(64, Stopwatch()))
    connections = [Slow(mock_clock, seconds) for _ in range(200)]
    longest, most = 0.0, 0.0

    async def flush() -> None:
        nonlocal longest, most
        await trio.lowlevel.checkpoint()
        with (
            steps_of_this_task(trio.current_time) as times,
            steps_of_this_task(lambda: sum(connection.flushed for connection in connections)) as counts,
        ):
            try:
                await flusher.run()
            finally:
                longest, most = times.most, counts.most

    async with trio.open_nursery() as nursery:
        nursery.start_soon(flush)
        for connection in connections:
            flusher.add(connection)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert all(connection.flushed == 1 for connection in connections)
    assert longest < 1e-3
    assert most <= 32


async def test_a_step_copies_no_more_than_a_few_large_messages_of_a_list(virtual_network: VirtualNetwork) -> None:
    taken = 0

    def one_more() -> None:
        nonlocal taken
        taken += 1

    async with virtual_network.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH, hwm=10_000), ctx.socket(triomq.PULL, hwm=10_000)
        push.connect(await pull.bind("inproc://bytes"))
        await trio.testing.wait_all_tasks_blocked()
        with steps_of_this_task(lambda: taken) as steps:
            await push.send_many(Knowing(bytearray(1_000_000), one_more, 16))
    assert taken == 16
    assert steps.most <= 2


@pytest.mark.parametrize("beside", [[], [b"a header"]], ids=["alone", "behind a header"])
async def test_a_step_copies_no_more_than_a_few_large_messages_sent_one_by_one(
    beside: list[bytes], virtual_network: VirtualNetwork
) -> None:
    """Though time stands still, and the clock knows nothing of it."""
    sent = 0
    async with virtual_network.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH, hwm=10_000), ctx.socket(triomq.PULL, hwm=10_000)
        push.connect(await pull.bind("inproc://bytes"))
        await trio.testing.wait_all_tasks_blocked()
        with steps_of_this_task(lambda: sent) as steps:
            for _ in range(40):
                body = memoryview(bytes(400_000))
                await push.send([*beside, body] if beside else body)
                sent += 1
            await trio.lowlevel.checkpoint()
    assert 1 <= steps.most <= 2
