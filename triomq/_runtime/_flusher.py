"""Writes at the end of a turn what was gathered in it.

Theory of operation

A connection that is written to more than once in a turn is noted with the `Flusher`, which writes it when the sending
task has given up its turn. So a burst is one system call, and a message to many subscribers is one task switch. A task
that knows when its burst ends gathers by itself, and needs not even this switch.

The flusher looks at the clock now and then, and lets other tasks run if it has written for long. A connection that has
written much says so: the clock is looked at before the next connection is written.
"""

from __future__ import annotations

from typing import Protocol

import trio

from ._turn import Turn

_FLUSHED_TOGETHER = 32  # connections; then the flusher lets other tasks run
_LONGEST_FLUSH = 0.25e-3  # seconds; it lets them run earlier if this has passed
_CLOCK_EVERY = 8  # connections between two looks at the clock


class Flushable(Protocol):
    """Something that has gathered output; it has to be hashable, as every object is that is equal to itself alone."""

    def wants_more(self, now: float) -> bool:
        """Whether to gather for another turn; asked once in each."""

    def flush(self) -> None:
        """Write it, without waiting."""


class Flusher:
    """Writes at the end of a turn what was gathered in it.

    Args:
      turn: of the tasks whose messages are written; they may write by themselves, and for long.

    Attributes:
      gathering: set by a task that writes nothing, not even to an idle connection, before it calls `flush_gathered`;
        which it does before it waits.
    """

    def __init__(self, turn: Turn) -> None:
        self.gathering: bool = False
        self._turn = turn
        self._much_written = False  # since the last look at the clock
        # Each once, even if it was flushed by others meanwhile, and has gathered again.
        self._gathered: dict[Flushable, None] = {}
        self._waiting: dict[Flushable, None] = {}
        self._sleeper: trio.lowlevel.Task | None = None

    def add(self, connection: Flushable) -> None:
        """Have ``connection`` flushed when the running task gives up its turn, or by `flush_gathered`."""
        if self.gathering:
            self._gathered[connection] = None
            return
        self._waiting[connection] = None
        if self._sleeper is not None:
            trio.lowlevel.reschedule(self._sleeper)
            self._sleeper = None

    def much_written(self) -> None:
        """A connection has written much: those who do more than one thing in a turn look at the clock now."""
        self._much_written = True
        self._turn.look_soon()

    def flush_gathered(self, *, more: bool) -> None:
        """Write what was gathered: at once, unless ``more`` is to come, or much is to be written."""
        self.gathering = False
        connections = self._gathered
        if not connections:
            return
        self._gathered = {}
        self._much_written = more or len(connections) > _FLUSHED_TOGETHER
        for connection in connections:
            if self._much_written:
                self.add(connection)
            else:
                connection.flush()

    @trio.lowlevel.enable_ki_protection
    async def run(self) -> None:
        """Flush, for ever."""
        while True:
            if not self._waiting:
                await self._sleep()
            connections, self._waiting = self._waiting, {}
            began = now = trio.current_time()
            for index, connection in enumerate(connections, 1):
                if connection.wants_more(now):
                    self._waiting[connection] = None
                else:
                    connection.flush()
                if self._much_written or index % _CLOCK_EVERY == 0:
                    self._much_written = False
                    if index % _FLUSHED_TOGETHER == 0 or trio.current_time() - began >= _LONGEST_FLUSH:
                        await trio.lowlevel.checkpoint()
                        began = trio.current_time()
            connections.clear()
            del connection  # while this task sleeps, its local variables would keep connections that have ended
            if self._waiting:
                await trio.lowlevel.checkpoint()

    async def _sleep(self) -> None:
        self._sleeper = trio.lowlevel.current_task()

        def abort(_: object) -> trio.lowlevel.Abort:
            self._sleeper = None
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)
