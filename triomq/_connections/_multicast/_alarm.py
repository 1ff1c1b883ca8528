"""A task that does something at a time which may be moved."""

from __future__ import annotations

import math
from collections.abc import Callable

import trio

from ..._runtime import TaskGroup


class Alarm:
    """Rings at a time.

    Args:
      tasks: the alarm is one of these.
      ring: called when it is time. Returns: when to ring again.
    """

    def __init__(self, tasks: TaskGroup, ring: Callable[[], float], *, name: str) -> None:
        self._ring = ring
        self._at = math.inf
        self._sleep: trio.CancelScope | None = None
        self._scope = tasks.start(self._run, name=name)

    # On the path of every datagram.
    def set(self, at: float) -> None:
        """Ring at ``at``, unless it is to ring earlier anyway."""
        if at < self._at:
            self._at = at
            if self._sleep is not None:
                self._sleep.deadline = at

    def end(self) -> None:
        """Ring no more."""
        self._scope.cancel(reason="triomq: left the group")

    async def _run(self) -> None:
        while True:
            with trio.CancelScope(deadline=self._at) as self._sleep:
                await trio.sleep_forever()
            self._sleep = None
            self._at = math.inf
            self.set(self._ring())
            await trio.lowlevel.checkpoint()  # where it is always time, others have their turns
