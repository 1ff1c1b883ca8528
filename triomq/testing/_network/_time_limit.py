"""A run that would never end ends all the same, and tells where it waits.

In real time a run that waits for what never comes hangs, and somebody presses Ctrl-C. On a mock clock such a run keeps
the processor busy: the clock looks for a deadline to jump to again and again, or jumps from heartbeat to heartbeat.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import trio

from ._network import VirtualNetwork

T = TypeVar("T")

FOUR_HOURS = 14400.0  # seconds; with a heartbeat in each of them, they take less than a minute of real time
_NOT_THE_USERS = {"trio", "triomq", "pytest_trio", "_pytest"}  # packages whose lines are not shown
_MOST_TASKS = 20  # tasks that are shown


async def call_within(network: VirtualNetwork, seconds: float, call: Callable[[], Awaitable[T]], advice: str) -> T:
    """Await ``call()`` for ``seconds`` of virtual time at the most.

    Args:
      network: watches the time, so that no task has to.
      advice: what to do about a call that needs longer, for the text of the error.
    Raises:
      trio.TooSlowError: the call was not over; the text says in which lines its tasks wait.
    """
    task = trio.lowlevel.current_task()
    waiting: list[str] = []
    scope = trio.CancelScope()

    def give_up() -> None:
        waiting.extend(_places(task))
        scope.cancel(reason=f"triomq: not over after {seconds:g} s of virtual time")

    if seconds < math.inf:
        network._fabric.world.agenda.plan(trio.current_time() + seconds, give_up)
    with scope:
        return await call()
    places = waiting[:_MOST_TASKS] + ["…"] * (len(waiting) > _MOST_TASKS)
    lines = "".join(f"\n  {place}" for place in places)
    raise trio.TooSlowError(f"not over after {seconds:g} s of virtual time ({advice}). It waits here:{lines}")


def _places(task: trio.lowlevel.Task) -> Iterator[str]:
    """Where a task and those below it wait: one text for each task that waits in the user's code."""
    frames = [(frame.f_code, line) for frame, line in task.iter_await_frames()]
    lines = [
        f"{Path(code.co_filename).name}:{line} in {code.co_name}"
        for code, line in frames
        if _is_the_users(code.co_filename)
    ]
    if lines:
        yield " > ".join(lines)
    for nursery in task.child_nurseries:
        for child in sorted(nursery.child_tasks, key=lambda child: child.name):
            yield from _places(child)


def _is_the_users(filename: str) -> bool:
    path = Path(filename)
    return not _NOT_THE_USERS.intersection(path.parts) and path.name not in ("contextlib.py", "<string>")
