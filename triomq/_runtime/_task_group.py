"""Tasks of one socket inside the context's nursery."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVarTuple

import trio

Args = TypeVarTuple("Args")


class TaskGroup:
    """Tasks that can be cancelled together and waited for, inside somebody else's nursery.

    Args:
      suffix: what the name of each task ends with.

    Attributes:
      suffix: the same.
    """

    __slots__ = ("_nursery", "_scopes", "_waiting", "suffix")

    def __init__(self, nursery: trio.Nursery, suffix: str = "") -> None:
        self.suffix: str = suffix
        self._nursery = nursery
        self._scopes: dict[trio.CancelScope, None] = {}
        self._waiting: trio.lowlevel.ParkingLot | None = None  # once somebody waits: it takes 240 bytes

    def start(self, task: Callable[[*Args], Awaitable[None]], *args: *Args, name: str) -> trio.CancelScope:
        """Start a task, ``task(*args)``; what it raises ends the context as an internal error.

        Returns: the scope that the task runs in.
        """
        scope = trio.CancelScope()
        self._scopes[scope] = None
        self._nursery.start_soon(self._run, scope, task, *args, name=f"{name}{self.suffix}")
        return scope

    @trio.lowlevel.enable_ki_protection
    async def _run(self, scope: trio.CancelScope, task: Callable[[*Args], Awaitable[None]], *args: *Args) -> None:
        try:
            with scope:
                await task(*args)
        finally:
            del self._scopes[scope]
            if not self._scopes and self._waiting is not None:
                self._waiting.unpark_all()

    def cancel(self, reason: str) -> None:
        """Cancel every task, now and without waiting."""
        for scope in self._scopes:
            scope.cancel(reason=reason)

    async def wait_ended(self) -> None:
        """Wait until no task is left."""
        while self._scopes:
            if self._waiting is None:
                self._waiting = trio.lowlevel.ParkingLot()
            await self._waiting.park()
