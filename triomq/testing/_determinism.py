"""The same run for the same seed, down to trio's scheduler.

What makes a run repeatable:

* time is `trio.testing.MockClock`, which moves only when every task sleeps;
* the network orders what happens at one time by the order in which it was planned (see `Agenda`), and draws every
  chance (jitter, loss, cuts) from generators seeded with the network's seed, one for each direction of a connection;
* each context's back-off and first routing ids come from a generator seeded with the seed and the host's name;
* trio runs the tasks that are ready at one time in an order that it draws afresh in every run. There is no public way
  to seed that. trio keeps a switch for Hypothesis, and here, in `fixed_schedule` alone, it is set: tasks then run in an
  order drawn from our seed. It is set back at the end.

What a user must not do, if a seed is to give the same run twice: use real sockets, files, processes or threads
(that includes ``trio.to_thread`` and resolving names) inside the run; roll dice that the seed does not govern; read a
wall clock; let anything depend on the order of a set of objects, on ``id()`` or on ``hash()`` of a str. A test that
fails for one seed only at times does one of these.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import trio
import trio._core._run as _scheduler

_SWITCH = "_ALLOW_DETERMINISTIC_SCHEDULING"
_DICE = "_r"

_depth = 0  # how many blocks of `fixed_schedule` are open: the first one's seed counts


def seeded(seed: int, *what: object) -> random.Random:
    """A generator for one purpose, the same in every run and every process."""
    return random.Random("/".join(map(str, (seed, *what))))


@contextmanager
def fixed_schedule(seed: int) -> Iterator[None]:
    """Let trio's scheduler, in this process, draw the order of tasks from a seed while the block lasts.

    Blocks may be nested or overlap: the first one's seed is in force until the last one is left.

    Raises:
      RuntimeError: this version of trio has no such switch.
    """
    global _depth
    if not (hasattr(_scheduler, _SWITCH) and hasattr(_scheduler, _DICE) and hasattr(trio.lowlevel.Task, "_counter")):
        raise RuntimeError(
            "this version of trio has no switch for a repeatable schedule (trio._core._run._ALLOW_DETERMINISTIC_"
            "SCHEDULING), which triomq.testing needs to repeat a run from its seed: use a trio that has it, such as "
            "0.31 to 0.35, or VirtualNetwork(repeatable=False)"
        )
    if not _depth:
        _saved.extend((getattr(_scheduler, _SWITCH), getattr(_scheduler, _DICE)))
        setattr(_scheduler, _SWITCH, True)
        setattr(_scheduler, _DICE, seeded(seed, "schedule"))
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if not _depth:
            setattr(_scheduler, _DICE, _saved.pop())
            setattr(_scheduler, _SWITCH, _saved.pop())


_saved: list[object] = []


class Turns(trio.abc.Instrument):
    """Tells the order of what tasks do from the order in which the scheduler happens to run them.

    trio runs all tasks that are ready, in an order drawn from the seed, then looks which tasks are ready next.
    """

    def __init__(self) -> None:
        self._number = 0

    def after_io_wait(self, timeout: float) -> None:
        """The tasks that are ready now will run."""
        self._number += 1

    def now(self) -> tuple[int, int]:
        """Sorts what tasks do: what tasks do together, in the order in which they were started.

        On a trio that does not number its tasks, the second part is 0.
        """
        return self._number, getattr(trio.lowlevel.current_task(), "_counter", 0)


class FixtureOrder(trio.abc.Instrument):
    """Gives the fixtures of a test an order by their names, for the scheduler to begin from.

    pytest-trio starts fixtures in the order of a set of objects, which is the order of their addresses. Before the
    scheduler draws an order, it sorts the tasks by the numbers that they were given when they were started. So these
    numbers are given out anew.
    """

    def __init__(self) -> None:
        self._runner: trio.lowlevel.Task | None = None  # the task that starts the fixtures, in a nursery of its own
        self._fixtures: list[trio.lowlevel.Task] = []

    def begin(self) -> None:
        """The current task is the one that will start the fixtures."""
        self._runner = trio.lowlevel.current_task()

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        """Give the fixtures their numbers anew: all of them are started before the first one runs."""
        if self._runner is None or task.parent_nursery is None or task.parent_nursery.parent_task is not self._runner:
            return
        self._fixtures.append(task)
        self._fixtures.sort(key=lambda task: task.name)
        numbers = sorted(task._counter for task in self._fixtures)
        for fixture, number in zip(self._fixtures, numbers, strict=True):
            fixture._counter = number
