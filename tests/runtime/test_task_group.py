"""Tasks that end together, inside somebody else's nursery."""

from __future__ import annotations

import gc
import weakref

import pytest
import trio
import trio.testing
from trio.testing import wait_all_tasks_blocked

from triomq._runtime import TaskGroup


class Task:
    """Sleeps for ever, and needs one more checkpoint to end if ``slow``."""

    def __init__(self, log: list[str], name: str, *, slow: bool = False) -> None:
        self.log, self.name, self.slow = log, name, slow

    async def __call__(self) -> None:
        self.log.append(f"{self.name} began")
        try:
            await trio.sleep_forever()
        finally:
            if self.slow:
                with trio.CancelScope(shield=True):
                    await wait_all_tasks_blocked()
            self.log.append(f"{self.name} ended")


async def test_all_tasks_are_cancelled_and_waited_for() -> None:
    log: list[str] = []
    async with trio.open_nursery() as nursery:
        group = TaskGroup(nursery)
        for name in "ab":
            group.start(Task(log, name, slow=True), name=name)
        await wait_all_tasks_blocked()
        group.cancel("enough")
        assert not any("ended" in entry for entry in log)
        await group.wait_ended()
        assert sorted(log) == ["a began", "a ended", "b began", "b ended"]


async def test_one_task_is_cancelled_by_its_scope() -> None:
    log: list[str] = []
    async with trio.open_nursery() as nursery:
        group = TaskGroup(nursery)
        scope = group.start(Task(log, "a"), name="a")
        group.start(Task(log, "b"), name="b")
        await wait_all_tasks_blocked()
        scope.cancel()
        await wait_all_tasks_blocked()
        assert [entry for entry in log if "ended" in entry] == ["a ended"]
        group.cancel("enough")
        await group.wait_ended()


async def test_other_tasks_of_the_nursery_are_left_alone() -> None:
    log: list[str] = []
    async with trio.open_nursery() as nursery:
        group, other = TaskGroup(nursery), TaskGroup(nursery)
        group.start(Task(log, "ours"), name="ours")
        other.start(Task(log, "theirs"), name="theirs")
        await wait_all_tasks_blocked()
        group.cancel("enough")
        await group.wait_ended()
        await wait_all_tasks_blocked()
        assert [entry for entry in log if "ended" in entry] == ["ours ended"]
        other.cancel("enough")


async def test_a_task_that_was_cancelled_before_it_began_ends_at_its_first_checkpoint() -> None:
    log: list[str] = []
    async with trio.open_nursery() as nursery:
        group = TaskGroup(nursery)
        group.start(Task(log, "a"), name="a")
        group.cancel("enough")
        await group.wait_ended()
        assert log == ["a began", "a ended"]


async def test_with_no_task_there_is_nothing_to_wait_for() -> None:
    async with trio.open_nursery() as nursery:
        group = TaskGroup(nursery)
        group.cancel("enough")
        with trio.fail_after(1):
            await group.wait_ended()


async def test_a_task_is_given_its_arguments_and_cancelled_by_the_scope_that_start_returned() -> None:
    told: list[tuple[int, str]] = []

    async def task(number: int, text: str) -> None:
        told.append((number, text))
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        group = TaskGroup(nursery)
        scope = group.start(task, 1, "a", name="task")
        await wait_all_tasks_blocked()
        scope.cancel()
        await group.wait_ended()
    assert told == [(1, "a")]


async def test_several_may_wait_and_a_task_that_starts_meanwhile_is_waited_for_too(
    autojump_clock: trio.testing.MockClock,
) -> None:
    log: list[str] = []
    async with trio.open_nursery() as nursery:
        group = TaskGroup(nursery)

        async def last() -> None:
            await trio.sleep(5)
            log.append("last")

        async def first() -> None:
            await trio.sleep(3)
            group.start(last, name="last")

        async def wait() -> None:
            await group.wait_ended()
            log.append(f"waited until {trio.current_time():g}")

        group.start(first, name="first")
        for _ in range(2):
            nursery.start_soon(wait)
    assert log == ["last", "waited until 8", "waited until 8"]


async def test_waiting_can_be_cancelled_and_the_tasks_go_on() -> None:
    log: list[str] = []
    async with trio.open_nursery() as nursery:
        group = TaskGroup(nursery)
        group.start(Task(log, "a"), name="a")
        with trio.CancelScope() as scope:
            scope.cancel()
            await group.wait_ended()
        await wait_all_tasks_blocked()
        assert log == ["a began"]
        group.cancel("enough")


async def test_a_task_that_crashes_ends_the_nursery_and_who_waits_is_not_left_waiting() -> None:
    async def crash() -> None:
        await trio.lowlevel.checkpoint()
        raise ZeroDivisionError

    waited = False
    with pytest.RaisesGroup(ZeroDivisionError):
        async with trio.open_nursery() as nursery:
            group = TaskGroup(nursery)
            group.start(crash, name="crash")
            with trio.CancelScope(shield=True):
                await group.wait_ended()
            waited = True
    assert waited


async def test_tasks_have_the_names_that_they_were_given() -> None:
    names = []

    async def task() -> None:
        names.append(trio.lowlevel.current_task().name)

    async with trio.open_nursery() as nursery:
        TaskGroup(nursery).start(task, name="triomq this and that")
    assert names == ["triomq this and that"]


async def test_an_ended_task_is_kept_by_nobody() -> None:
    async with trio.open_nursery() as nursery:
        group = TaskGroup(nursery)
        task = Task([], "a")
        known = weakref.ref(task)
        group.start(task, name="a")
        del task
        await wait_all_tasks_blocked()
        group.cancel("enough")
        await group.wait_ended()
        await wait_all_tasks_blocked()
        gc.collect()
        assert known() is None
