"""Long work of a socket, done in pieces between the turns of other tasks."""

from __future__ import annotations

from collections.abc import Iterator

import trio

from ._task_group import TaskGroup


class Chores:
    """Does work that would hold the loop for too long, were it done in one go.

    Args:
      tasks: of the socket; when they are cancelled, what is left of the work is not done.
    """

    __slots__ = ("_tasks",)

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks

    def start(self, work: Iterator[None]) -> None:
        """Do the work in a task of its own, and let other tasks run after each piece of it.

        Args:
          work: yields after each piece; a piece takes a fraction of a millisecond.
        """

        async def do() -> None:
            for _ in work:
                await trio.lowlevel.checkpoint()

        self._tasks.start(do, name="triomq chore")
