"""A run that would never end ends all the same, and tells where it waits.

In real time a run that waits for what never comes hangs, and somebody presses Ctrl-C. On a mock clock such a run keeps
the processor busy: the clock looks for a deadline to jump to again and again, or jumps from heartbeat to heartbeat.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import trio

from ._failures import users_line
from ._network import VirtualNetwork

T = TypeVar("T")

FOUR_HOURS = 14400.0  # seconds; with a heartbeat in each of them, they take less than a minute of real time
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
    awaited: list[str] = []
    scope = trio.CancelScope()

    def give_up() -> None:
        waiting.extend(_places(task))
        awaited.extend(network.recorder.awaited)
        scope.cancel(reason=f"triomq: not over after {seconds:g} s of virtual time")

    if seconds < math.inf:
        network._fabric.world.agenda.plan(trio.current_time() + seconds, give_up)
    with scope:
        return await call()
    text = f"not over after {seconds:g} s of virtual time ({advice}). It waits here:{_lines(waiting)}"
    if awaited:
        text += f"\nThis has not happened:{_lines(awaited)}"
    raise trio.TooSlowError(text)


def _lines(texts: list[str]) -> str:
    shown = texts[:_MOST_TASKS] + ["…"] * (len(texts) > _MOST_TASKS)
    return "".join(f"\n  {text}" for text in shown)


def _places(task: trio.lowlevel.Task) -> Iterator[str]:
    """Where a task and those below it wait: one text for each task that waits in the user's code."""
    lines = [users_line(frame.f_code, line) for frame, line in task.iter_await_frames()]
    lines = [line for line in lines if line]
    if lines:
        yield " > ".join(lines)
    for nursery in task.child_nurseries:
        for child in sorted(nursery.child_tasks, key=lambda child: child.name):
            yield from _places(child)
