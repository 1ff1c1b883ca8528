"""What the network will do, and when: one queue, one task.

Theory of operation

Everything that takes virtual time on the network, such as a segment on its way, is an entry here: a time, a number
and a function that does not wait. One task of the network sleeps until the first of them is due, then calls all that
are due, ordered by time and, at one time, by the order in which they were planned.

There is one task for all, although each waiting reader could sleep until its own next segment. So what happens at one
time has an order of its own, and not the scheduler's; and an idle connection costs nothing, neither a task nor a
deadline.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, final

import trio


@final
class Spot:
    """Where one task at a time sleeps until it is woken."""

    __slots__ = ("_task",)

    def __init__(self) -> None:
        self._task: trio.lowlevel.Task | None = None

    @property
    def taken(self) -> bool:
        """Whether a task sleeps here."""
        return self._task is not None

    def wake(self) -> None:
        """Wake the task, if one is here."""
        task, self._task = self._task, None
        if task is not None:
            trio.lowlevel.reschedule(task)

    async def sleep(self) -> None:
        """Sleep until woken. Cancellation: the spot is free again."""
        assert self._task is None
        self._task = trio.lowlevel.current_task()

        def abort(_: object) -> trio.lowlevel.Abort:
            self._task = None
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)


@final
class Agenda:
    """The queue of a network."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0
        self._spot = Spot()
        self._nap = trio.CancelScope()

    def plan(self, time: float, action: Callable[..., None], *arguments: Any) -> None:
        """Have the network's task call ``action(*arguments)`` at a time; soon, if that time is now or past.

        An entry cannot be taken back: the action itself looks whether it is still wanted.
        """
        self._count += 1
        heappush(self._entries, (time, self._count, action, arguments))
        if time <= trio.current_time():
            self._spot.wake()
        elif time < self._nap.deadline:
            self._nap.deadline = time

    @trio.lowlevel.enable_ki_protection
    async def run(self) -> None:
        """Do what is due, for ever."""
        while True:
            next_time = self._entries[0][0] if self._entries else math.inf
            if next_time > trio.current_time():
                with trio.CancelScope(deadline=next_time) as self._nap:
                    await self._spot.sleep()
            self._do_what_is_due(trio.current_time())
            await trio.lowlevel.checkpoint()

    def _do_what_is_due(self, now: float) -> None:
        # An entry that an action plans for now waits for the next round: the tasks that were woken run before it.
        last = self._count
        while self._entries and self._entries[0][0] <= now and self._entries[0][1] <= last:
            _, _, action, arguments = heappop(self._entries)
            action(*arguments)
