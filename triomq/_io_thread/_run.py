"""The second trio run of a context: it has the connections, and a thread of its own.

Theory of operation

The context's services start the thread and end it. Two runs know each other by their mailboxes alone: `IoRun.tell`
leaves a call for the I/O run, `IoRun.post` one for the user's run. Both runs have the same clock, so a time means the
same in both.

On a mock clock there is no thread. What would be the second run's is then a part of the user's run, and all the rest is
as it is with a thread. To compute takes no time on a mock clock, so a thread of its own would show nothing there; and
two runs cannot share a clock that jumps.
"""

from __future__ import annotations

import os
import random
import sys
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, NoReturn, TypeAlias, TypeVar

import trio

from .._errors import cancellation_alone
from .._forks import NO_FORK
from .._runtime import Mailbox, Runtime, TaskGroup, turn_end

T = TypeVar("T")
_Put: TypeAlias = Callable[[Callable[[], object]], bool]
"""Leaves a call for a run, and says whether it will be made."""


class IoRun:
    """The run of a context's connections.

    Args:
      front: what the sockets of the user's run share. Its ``random`` is asked once: the run has chance of its own.

    Attributes:
      front: the same.
      bytes_over, bytes_delivered: of messages that went over to the user's run, and that reached its inboxes;
        counted where the context bounds what waits. The I/O run changes the one, the user's run the other.
      over: the run has ended: what it has posted does not matter any more.
      runtime: the same for the connections; there is one from when `run` has started.
    """

    runtime: Runtime

    def __init__(self, front: Runtime) -> None:
        self.front: Runtime = front
        self._mailbox: Mailbox  # there is one from when `run` has started
        self._mailbox_of_front: Mailbox = front.mailbox
        self.over: bool = False
        self.bytes_over: int = 0
        self.bytes_delivered: int = 0
        self._random = random.Random(front.random.getrandbits(64))
        self._started = trio.Event()
        self._ended = trio.Event()
        self._stop: Callable[[], None] = _nothing
        self._failure: BaseException | None = None
        self._when_ended: dict[Callable[[], None], None] = {}

    def tell(self, call: Callable[[], object]) -> bool:
        """Leave a call for the I/O run. Returns: whether it will be made."""
        return self._mailbox.put(call)

    def post(self, call: Callable[[], object]) -> bool:
        """Leave a call for the user's run. Returns: whether it will be made."""
        return self._mailbox_of_front.put(call)

    def when_ended(self, call: Callable[[], None]) -> None:
        """Have a call made in the user's run when the I/O run has ended."""
        self._when_ended[call] = None

    def never_mind(self, call: Callable[[], None]) -> None:
        """Take back `when_ended`."""
        self._when_ended.pop(call, None)

    # --- the life of the run --------------------------------------------------------------------

    @trio.lowlevel.enable_ki_protection
    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Start the run, keep it, and end it when this is cancelled.

        Raises: what the I/O run has crashed with.
        """
        clock = trio.lowlevel.current_clock()
        if _jumps(clock):
            try:
                await self._live(task_status.started)
            finally:
                self._tell_ended()
            return
        work = partial(self._work, trio.lowlevel.current_trio_token(), clock)
        thread = threading.Thread(target=work, name="triomq I/O", daemon=True)
        thread.start()
        self._mailbox_of_front.when_closed(self._stop_if_dead)
        try:
            with trio.CancelScope(shield=True):
                await self._started.wait()
            if self._failure is None:
                task_status.started()
            await self._ended.wait()
        finally:
            self._stop()
            if os.getpid() == self.front.process:  # the thread is not there in a forked child
                with trio.CancelScope(shield=True):
                    await self._ended.wait()
                thread.join()
            self._tell_ended()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _stop_if_dead(self) -> None:
        """The user's run has died, or its context is left; in the latter case `run` waits for the end."""
        self._stop()

    def _tell_ended(self) -> None:
        self.over = True
        calls, self._when_ended = self._when_ended, {}
        for call in calls:
            call()

    def _work(self, token: trio.lowlevel.TrioToken, clock: trio.abc.Clock) -> None:
        """What the thread does."""

        def tell(call: Callable[[], None]) -> None:
            try:
                with NO_FORK:  # as `Mailbox` does
                    token.run_sync_soon(call)
            except (trio.RunFinishedError, OSError):
                return  # the user's run has died, and nobody waits

        async def main() -> None:
            await self._live(lambda: tell(self._started.set))

        try:
            trio.run(main, clock=clock)
        except BaseException as exc:  # noqa: ASYNC103  # raised in the user's run
            self._failure = exc
        finally:
            tell(self._started.set)
            tell(self._ended.set)

    async def _live(self, started: Callable[[], None]) -> None:
        """What the run does: it has the tasks of the connections, until it is told to stop."""
        with turn_end() as turn:
            async with trio.open_nursery() as nursery:
                runtime = self.runtime = Runtime(
                    nursery, turn, self._random, strict_checkpoints=False, bounds=self.front.bounds
                )
                runtime.random_bytes = partial(_draw, self.front)
                nursery.start_soon(runtime.flusher.run, name="triomq flusher")
                mailbox, stop = runtime.mailbox, trio.Event()
                self._mailbox = mailbox
                self._stop = partial(mailbox.put, stop.set)  # type: ignore[assignment]
                started()
                try:
                    await stop.wait()
                finally:
                    runtime.end()
                    nursery.cancel_scope.cancel(reason="triomq: the context was left")

    # --- what one run waits for in the other -----------------------------------------------------

    async def call(self, tasks: TaskGroup, work: Callable[[], Awaitable[T]], done: Callable[[], None]) -> T:
        """From the user's run: have something done in the I/O run; see `_Call`.

        Args:
          done: called here when it has been done, before whatever the I/O run tells after that.
        """
        call = _Call[T](self.post, work, done)
        self.when_ended(call.end)
        try:
            return await call.make(self.tell, tasks)
        finally:
            self.never_mind(call.end)

    async def ask(self, tasks: TaskGroup, work: Callable[[], Awaitable[T]]) -> T:
        """From the I/O run: have something done in the user's run; see `_Call`."""
        return await _Call[T](self.tell, work, _nothing).make(self._post_unless_over, tasks)

    def _post_unless_over(self, call: Callable[[], object]) -> bool:
        return self.post(lambda: None if self.over else call())


class _Call(Generic[T]):
    """Something that is done in another run while a task waits here.

    Args:
      here: leaves a call for this run.
      work: is done in the other run.
      done: called here when that has succeeded.
    """

    def __init__(self, here: _Put, work: Callable[[], Awaitable[T]], done: Callable[[], None]) -> None:
        self._here = here
        self._work = work
        self._done = done
        self._scope = trio.CancelScope()
        self._task: trio.lowlevel.Task | None = None
        self._ended = False
        self._result: list[T] = []
        self._error: Exception | None = None

    async def _do(self) -> None:
        """In the other run: do it, and tell what came of it."""
        try:
            with self._scope, cancellation_alone():
                self._result.append(await self._work())
        except Exception as exc:  # raised where it is waited for
            self._error = exc
        finally:
            self._here(self.end)

    def end(self) -> None:
        """It was done, or was not, or never will be, as the other run has ended."""
        if not self._ended:
            self._ended = True
            if self._result:
                self._done()
            if self._task is not None:
                trio.lowlevel.reschedule(self._task)

    async def make(self, there: _Put, tasks: TaskGroup) -> T:
        """Have it done, and wait for it.

        Args:
          there: leaves a call for the other run.
          tasks: of the other run, to which the work belongs.
        Raises: what the work raises.
          trio.ClosedResourceError: the socket was closed meanwhile, or the run has ended.
        Cancellation: cancels the work. What was done before the cancellation came is returned.
        """
        interrupted: Callable[[], NoReturn] | None = None

        def abort(raise_cancel: Callable[[], NoReturn]) -> trio.lowlevel.Abort:
            nonlocal interrupted
            interrupted = raise_cancel
            if there(partial(self._scope.cancel, reason="triomq: the call of another run was cancelled")):
                return trio.lowlevel.Abort.FAILED
            self._ended = True  # that run has ended
            return trio.lowlevel.Abort.SUCCEEDED

        if not there(partial(tasks.start, self._do, name="triomq call")):
            raise trio.ClosedResourceError("the other run of this context has ended")
        self._task = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(abort)
        self._task = None
        if self._result:
            return self._result[0]
        if self._error is not None:
            error, self._error = self._error, None
            try:
                raise error
            finally:
                del error
        if interrupted is not None:
            interrupted()
        raise trio.ClosedResourceError("this socket was closed meanwhile")


def _jumps(clock: trio.abc.Clock) -> bool:
    testing = sys.modules.get("trio.testing")  # who has a MockClock has imported it, which takes its time
    return testing is not None and isinstance(clock, testing.MockClock)


def _draw(front: Runtime, count: int) -> bytes:
    return front.random_bytes(count)  # asked each time: a test may put another source in its place


def _nothing() -> None:
    """The run has not started."""
