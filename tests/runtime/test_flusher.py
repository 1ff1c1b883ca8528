"""What was gathered in a turn is written at its end: once, in order, and with turns for other tasks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from trio.testing import MockClock, wait_all_tasks_blocked

from triomq._runtime import Flusher, Turn

from .turns import Stopwatch


class Connection:
    """Writes its name down when it is flushed.

    Attributes:
      wants: how many more turns it wants to gather.
      asked: the times at which it was asked for that.
    """

    def __init__(self, name: str, written: list[str], *, wants: int = 0, effect: Callable[[], object] = list) -> None:
        self.name, self.written, self.wants, self.effect = name, written, wants, effect
        self.asked: list[float] = []

    def wants_more(self, now: float) -> bool:
        self.asked.append(now)
        self.wants -= 1
        return self.wants >= 0

    def flush(self) -> None:
        self.written.append(self.name)
        self.effect()


class StepsOfTheFlusher(trio.abc.Instrument):
    """Writes a stroke down whenever the flusher's task runs on."""

    def __init__(self, written: list[str]) -> None:
        self._written = written

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """See `trio.abc.Instrument`."""
        if task.name.endswith("Flusher.run"):
            self._written.append("|")


@asynccontextmanager
async def running(flusher: Flusher) -> AsyncIterator[trio.Nursery]:
    """The flusher's task, asleep."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(flusher.run)
        await wait_all_tasks_blocked()
        yield nursery
        nursery.cancel_scope.cancel()


def new_flusher() -> Flusher:
    return Flusher(Turn(64, Stopwatch()))


def connections(names: str, written: list[str]) -> list[Connection]:
    return [Connection(name, written) for name in names]


# --- at the end of the turn --------------------------------------------------------------------


async def test_connections_are_written_in_order_when_the_task_gives_up_its_turn() -> None:
    written: list[str] = []
    flusher = new_flusher()
    async with running(flusher):
        for connection in connections("abc", written):
            flusher.add(connection)
        assert written == []
        for _ in range(2):
            await wait_all_tasks_blocked()
            assert written == ["a", "b", "c"]


async def test_what_was_added_before_the_flusher_runs_is_written() -> None:
    written: list[str] = []
    flusher = new_flusher()
    flusher.add(Connection("a", written))
    async with running(flusher):
        assert written == ["a"]


async def test_what_is_added_while_others_are_written_comes_behind_them() -> None:
    written: list[str] = []
    flusher = new_flusher()
    again = Connection("again", written)
    async with running(flusher):
        flusher.add(Connection("a", written, effect=lambda: flusher.add(again)))
        flusher.add(Connection("b", written))
        await wait_all_tasks_blocked()
    assert written == ["a", "b", "again"]


async def test_a_connection_that_gathers_again_before_it_is_written_is_written_once() -> None:
    """Its owner may have written it meanwhile, as where there was no room for more."""
    written: list[str] = []
    flusher = new_flusher()
    async with running(flusher):
        a, b = connections("ab", written)
        for connection in (a, b, a, a):
            flusher.add(connection)
        await wait_all_tasks_blocked()
        assert written == ["a", "b"]
        flusher.add(a)
        await wait_all_tasks_blocked()
    assert written == ["a", "b", "a"]


@pytest.mark.parametrize("turns", [1, 3])
async def test_a_connection_that_wants_more_is_asked_once_in_each_turn_and_written_in_the_end(turns: int) -> None:
    written: list[str] = []
    flusher = new_flusher()
    async with running(flusher):
        trio.lowlevel.add_instrument(steps := StepsOfTheFlusher(written))
        waits = Connection("waits", written, wants=turns)
        flusher.add(waits)
        flusher.add(Connection("a", written))
        await wait_all_tasks_blocked()
        trio.lowlevel.remove_instrument(steps)
    assert written == ["|", "a", *"|" * turns, "waits"]
    assert len(waits.asked) == turns + 1


async def test_a_connection_is_asked_with_the_time_of_the_turn(mock_clock: MockClock) -> None:
    written: list[str] = []
    flusher = new_flusher()
    async with running(flusher):
        mock_clock.jump(7)
        asked = Connection("a", written)
        flusher.add(asked)
        await wait_all_tasks_blocked()
    assert asked.asked == [7]


@pytest.mark.parametrize(
    ("seconds", "groups"),
    [
        (0, [32, 32, 6]),
        (5e-6, [32, 32, 6]),
        (20e-6, [16, 16, 16, 16, 6]),  # 16 × 20 µs is more than 250 µs, and 8 × 20 µs is not
        (40e-6, [8, 8, 8, 8, 8, 8, 8, 8, 6]),
        (1, [8, 8, 8, 8, 8, 8, 8, 8, 6]),  # the clock is looked at after each eighth
    ],
)
async def test_between_two_schedule_points_few_connections_are_written_or_a_short_time_passes(
    seconds: float, groups: list[int], mock_clock: MockClock
) -> None:
    written: list[str] = []
    flusher = new_flusher()

    async with running(flusher):
        trio.lowlevel.add_instrument(steps := StepsOfTheFlusher(written))
        for _ in range(70):
            flusher.add(Connection("a", written, effect=lambda: mock_clock.jump(seconds)))
        await wait_all_tasks_blocked()
        trio.lowlevel.remove_instrument(steps)
    assert [len(group) for group in "".join(written).split("|") if group] == groups


@pytest.mark.parametrize(
    ("seconds", "groups"),
    [
        (0, [32, 8]),
        (60e-6, [5, 5, 5, 5, 5, 5, 2, 5, 3]),  # 5 × 60 µs is more than 250 µs, and 4 × 60 µs is not
        (1e-3, [1] * 40),
    ],
)
async def test_who_has_written_much_says_so_and_other_tasks_run_as_soon_as_the_time_is_over(
    seconds: float, groups: list[int], mock_clock: MockClock
) -> None:
    written: list[str] = []
    flusher = new_flusher()

    def write_much() -> None:
        mock_clock.jump(seconds)
        flusher.much_written()

    async with running(flusher):
        trio.lowlevel.add_instrument(steps := StepsOfTheFlusher(written))
        for _ in range(40):
            flusher.add(Connection("a", written, effect=write_much))
        await wait_all_tasks_blocked()
        trio.lowlevel.remove_instrument(steps)
    assert [len(group) for group in "".join(written).split("|") if group] == groups


# --- gathering ---------------------------------------------------------------------------------


async def test_what_a_task_gathers_waits_for_it() -> None:
    written: list[str] = []
    flusher = new_flusher()
    async with running(flusher):
        flusher.gathering = True
        for connection in connections("ab", written):
            flusher.add(connection)
        await wait_all_tasks_blocked()
        assert written == []
        flusher.flush_gathered(more=False)
        assert written == ["a", "b"]
        assert not flusher.gathering
        await wait_all_tasks_blocked()
        assert written == ["a", "b"]


async def test_when_more_is_to_come_it_is_written_at_the_end_of_the_turn() -> None:
    written: list[str] = []
    flusher = new_flusher()
    async with running(flusher):
        flusher.gathering = True
        waits = Connection("a", written, wants=1)
        flusher.add(waits)
        flusher.flush_gathered(more=True)
        assert written == []
        await wait_all_tasks_blocked()
        assert written == ["a"]
        assert len(waits.asked) == 2


@pytest.mark.parametrize(("number", "at_once"), [(1, True), (32, True), (33, False)])
async def test_many_connections_are_left_to_the_flusher(number: int, at_once: bool) -> None:
    written: list[str] = []
    flusher = new_flusher()
    async with running(flusher):
        flusher.gathering = True
        for index in range(number):
            flusher.add(Connection(f"{index}", written))
        flusher.flush_gathered(more=False)
        assert bool(written) is at_once
        await wait_all_tasks_blocked()
        assert written == [f"{index}" for index in range(number)]


async def test_behind_one_that_has_written_much_the_others_are_left_to_the_flusher() -> None:
    written: list[str] = []
    flusher = new_flusher()
    async with running(flusher):
        flusher.gathering = True
        a, b, c, d = connections("abcd", written)
        b.effect = flusher.much_written
        for connection in (a, b, c, d):
            flusher.add(connection)
        flusher.flush_gathered(more=False)
        assert written == ["a", "b"]
        await wait_all_tasks_blocked()
    assert written == ["a", "b", "c", "d"]


@pytest.mark.parametrize("more", [False, True])
async def test_nothing_gathered_is_nothing_to_write(more: bool) -> None:
    flusher = new_flusher()
    flusher.gathering = True
    with trio.testing.assert_no_checkpoints():
        flusher.flush_gathered(more=more)
    assert not flusher.gathering


async def test_what_is_added_after_the_gathering_is_not_gathered() -> None:
    written: list[str] = []
    flusher = new_flusher()
    async with running(flusher):
        flusher.gathering = True
        flusher.flush_gathered(more=False)
        flusher.add(Connection("a", written))
        await wait_all_tasks_blocked()
        assert written == ["a"]


# --- the end -----------------------------------------------------------------------------------


async def test_cancelled_while_it_sleeps_it_is_woken_by_nobody() -> None:
    written: list[str] = []
    flusher = new_flusher()
    async with running(flusher):
        pass
    flusher.add(Connection("a", written))
    await wait_all_tasks_blocked()
    assert written == []


async def test_cancelled_between_two_groups_it_leaves_the_rest_unwritten(mock_clock: MockClock) -> None:
    """The context is over; whoever closes in good order has waited for its queue before."""
    written: list[str] = []
    flusher = new_flusher()
    async with running(flusher) as nursery:
        for _ in range(31):
            flusher.add(Connection("a", written))
        for _ in range(5):
            flusher.add(Connection("a", written, effect=nursery.cancel_scope.cancel))
    assert len(written) == 32


async def test_a_connection_that_raises_crashes_the_flusher() -> None:
    """`flush` never raises: what does is a bug, and ends the context loudly."""
    flusher = new_flusher()

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.RaisesGroup(ZeroDivisionError):
        async with running(flusher):
            flusher.add(Connection("a", [], effect=fail))
            await trio.sleep_forever()
