"""What a context gives its sockets: tasks, the flusher, the names, the budget of a slice.

Theory of operation

A trio schedule point costs several times what queueing a message costs, so a socket does not take
one for every message. It counts: all sockets of a context share a `Slice`, and the call that uses up
its budget takes the schedule point for all of them. A call that has to wait has been one anyway and
starts a new slice.

The `Flusher` is the other half: connections written to more than once in a slice are noted there and
written together when the sending task has given up its slice, so a burst is one system call, and as many
subscribers as may be written to in a turn are one task switch. A task that knows when its burst has ended can
gather by itself, and then not even this switch is needed.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import trio

from ._errors import WrongThreadError

if TYPE_CHECKING:
    from ._end_of_turn import EndOfTurn
    from ._inproc import InprocNames
    from .abc import Transport

SLICE_MESSAGES = 64
"""Most messages sent or received between two schedule points: 0.1 ms or less for small ones."""

_FLUSHED_TOGETHER = 32
"""Most connections written to between two schedule points of the flusher,"""

_LONGEST_FLUSH = 0.25e-3  # or seconds, looked at after each of
_FLUSHED_UNWATCHED = 8  # so many


class Slice:
    """How many messages may still go before the next schedule point."""

    __slots__ = ("left", "size")

    def __init__(self, size: int) -> None:
        self.size: int = size
        self.left: int = size

    def renew(self) -> None:
        """A task is about to wait, or has waited: who runs next has a slice to itself."""
        self.left = self.size

    async def end(self) -> None:
        """Give the other tasks their turn. Not a cancellation point: something was just taken or sent."""
        self.renew()
        await trio.lowlevel.cancel_shielded_checkpoint()


class Flushable(Protocol):
    """Something that has gathered output."""

    def wants_more(self, now: float) -> bool:
        """Whether to gather for another slice; asked once in each."""

    def flush(self) -> None:
        """Write it, without waiting."""


class Flusher:
    """Writes at the end of a slice what was gathered in it.

    Attributes:
      gathering: set by a task that writes nothing, not even to an idle connection, before it calls `flush_gathered`;
        which it does before it waits.
    """

    def __init__(self) -> None:
        self.gathering: bool = False
        self._gathered: list[Flushable] = []
        self._waiting: list[Flushable] = []
        self._sleeper: trio.lowlevel.Task | None = None

    def add(self, session: Flushable) -> None:
        """Have ``session`` flushed when the running task gives up its slice, or by `flush_gathered`."""
        if self.gathering:
            self._gathered.append(session)
            return
        self._waiting.append(session)
        if self._sleeper is not None:
            trio.lowlevel.reschedule(self._sleeper)
            self._sleeper = None

    def flush_gathered(self, *, more: bool) -> None:
        """Write what was gathered: at once, unless there is ``more`` to come, or are many to be written to."""
        self.gathering = False
        sessions = self._gathered
        if not sessions:
            return
        self._gathered = []
        if more or len(sessions) > _FLUSHED_TOGETHER:
            for session in sessions:
                self.add(session)
        else:
            for session in sessions:
                session.flush()

    @trio.lowlevel.enable_ki_protection
    async def run(self) -> None:
        """Flush, for ever."""
        while True:
            if not self._waiting:
                await self._sleep()
            sessions, self._waiting = self._waiting, []
            began = now = trio.current_time()
            for index, session in enumerate(sessions, 1):
                if session.wants_more(now):
                    self._waiting.append(session)
                else:
                    session.flush()
                if index % _FLUSHED_UNWATCHED == 0:
                    if index % _FLUSHED_TOGETHER == 0 or trio.current_time() - began >= _LONGEST_FLUSH:
                        await trio.lowlevel.checkpoint()
                        began = trio.current_time()
            if self._waiting:
                await trio.lowlevel.checkpoint()

    async def _sleep(self) -> None:
        self._sleeper = trio.lowlevel.current_task()

        def abort(_: object) -> trio.lowlevel.Abort:
            self._sleeper = None
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)


class TaskGroup:
    """Tasks that can be cancelled together and waited for, inside somebody else's nursery."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._scopes: dict[trio.CancelScope, None] = {}
        self._waiting = trio.lowlevel.ParkingLot()

    def start(self, task: Callable[[], Awaitable[None]], *, name: str) -> trio.CancelScope:
        """Start a task; what it raises ends the context as an internal error."""
        scope = trio.CancelScope()
        self._scopes[scope] = None
        self._nursery.start_soon(self._run, task, scope, name=name)
        return scope

    @trio.lowlevel.enable_ki_protection
    async def _run(self, task: Callable[[], Awaitable[None]], scope: trio.CancelScope) -> None:
        try:
            with scope:
                await task()
        finally:
            del self._scopes[scope]
            if not self._scopes:
                self._waiting.unpark_all()

    def cancel(self, reason: str) -> None:
        """Cancel every task, now and without waiting."""
        for scope in self._scopes:
            scope.cancel(reason=reason)

    async def wait_ended(self) -> None:
        """Wait until no task is left."""
        while self._scopes:
            await self._waiting.park()


class Runtime:
    """What the sockets of one context share."""

    def __init__(
        self,
        nursery: trio.Nursery,
        transports: Mapping[str, Transport],
        inproc: InprocNames,
        turn: EndOfTurn,
        rng: random.Random,
        strict_checkpoints: bool,
    ) -> None:
        self.nursery: trio.Nursery = nursery
        self.inproc: InprocNames = inproc
        self.turn: EndOfTurn = turn
        self.transports: dict[str, Transport] = dict(transports)
        self.random: random.Random = rng
        self.slice: Slice = Slice(1 if strict_checkpoints else SLICE_MESSAGES)
        self.sockets: dict[trio.abc.AsyncResource, None] = {}  # those that are not closed
        self.flusher: Flusher = Flusher()
        self.thread: int = threading.get_ident()
        self.token: trio.lowlevel.TrioToken = trio.lowlevel.current_trio_token()

    def check_thread(self, what: str) -> None:
        """Refuse use from anywhere but the trio run the context belongs to.

        Raises:
          WrongThreadError: this is another thread, or another trio run.
        """
        if threading.get_ident() == self.thread and trio.lowlevel.in_trio_run():
            if trio.lowlevel.current_trio_token() is self.token:
                return
        raise WrongThreadError(
            f"{what} was called outside the trio run its context was opened in; sockets belong to that run: "
            "from another thread use trio.from_thread.run(socket.send, message, trio_token=token)"
        )
