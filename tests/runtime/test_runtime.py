"""A context belongs to one trio run, in one thread."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest
import trio

from triomq import WrongThreadError
from triomq._runtime import MESSAGES_PER_TURN, Runtime, turn_end


def make(*, strict_checkpoints: bool = False) -> Runtime:
    """A runtime of a trio run that has ended, of this thread."""

    async def main() -> Runtime:
        return await here(strict_checkpoints=strict_checkpoints)

    return trio.run(main)


async def here(*, strict_checkpoints: bool = False) -> Runtime:
    """A runtime of this trio run."""
    async with trio.open_nursery() as nursery:
        with turn_end() as end:
            return Runtime(nursery, end, random.Random(1), strict_checkpoints=strict_checkpoints)


def in_another_thread(function: Callable[[], object]) -> list[Exception]:
    raised: list[Exception] = []

    def run() -> None:
        try:
            function()
        except Exception as exc:
            raised.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return raised


async def test_every_task_of_the_run_may_use_it() -> None:
    runtime = await here()
    runtime.check_thread("PUSH.send")

    async def task() -> None:
        runtime.check_thread("PUSH.send")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(task)


async def test_another_thread_may_not() -> None:
    runtime = await here()
    (error,) = in_another_thread(lambda: runtime.check_thread("PUSH.send"))
    assert isinstance(error, WrongThreadError)
    assert "PUSH.send was called outside the trio run" in str(error)
    assert "trio.from_thread.run" in str(error)


async def test_another_run_in_another_thread_may_not() -> None:
    runtime = await here()

    async def main() -> None:
        runtime.check_thread("PUSH.send")

    (error,) = in_another_thread(lambda: trio.run(main))
    assert isinstance(error, WrongThreadError)


def test_a_later_run_of_the_same_thread_may_not() -> None:
    runtime = make()

    async def main() -> None:
        with pytest.raises(WrongThreadError):
            runtime.check_thread("PUSH.send")

    trio.run(main)


def test_outside_of_any_run_nobody_may() -> None:
    runtime = make()
    with pytest.raises(WrongThreadError):
        runtime.check_thread("PUSH.send")


async def test_a_worker_thread_of_the_run_may_not_but_by_going_back_it_may() -> None:
    runtime = await here()

    def work() -> None:
        with pytest.raises(WrongThreadError):
            runtime.check_thread("PUSH.send")
        trio.from_thread.run_sync(runtime.check_thread, "PUSH.send")

    await trio.to_thread.run_sync(work)


@pytest.mark.parametrize(("strict", "size"), [(False, MESSAGES_PER_TURN), (True, 1)])
def test_with_strict_checkpoints_every_message_is_a_turn(strict: bool, size: int) -> None:
    turn = make(strict_checkpoints=strict).turn
    assert turn.left + turn.more == size
