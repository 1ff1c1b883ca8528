"""Tasks that wait for a socket: to send, to receive, or only to look."""

from __future__ import annotations

from typing import Generic, TypeVar

import trio

from .._message import Frames

M = TypeVar("M", bound=Frames)


class Waiter(Generic[M]):
    """A task in ``send`` or ``receive``, and what becomes of its message.

    Whoever makes the call possible completes it then and there, and only afterwards wakes the task. So what was
    sent or received is settled before the task could be cancelled: nothing is lost with it, nothing happens behind
    its back, and there is no wake-up that a cancelled task could take with it.
    """

    __slots__ = ("done", "error", "message", "task")

    def __init__(self, message: M | None = None) -> None:
        self.message = message
        self.error: BaseException | None = None
        self.done = False
        self.task: trio.lowlevel.Task | None = None

    def finish(self, message: M | None = None, error: BaseException | None = None) -> None:
        """The call is complete: wake its task."""
        self.message = message
        self.error = error
        self.done = True
        if self.task is not None:
            trio.lowlevel.reschedule(self.task)

    async def wait(self, waiters: dict[Waiter[M], None]) -> None:
        """Sleep until finished; taken out of ``waiters`` when cancelled.

        Raises: the error it was finished with.
        """
        if self.done:
            await trio.lowlevel.cancel_shielded_checkpoint()
        else:
            self.task = trio.lowlevel.current_task()

            def abort(_: object) -> trio.lowlevel.Abort:
                del waiters[self]
                return trio.lowlevel.Abort.SUCCEEDED

            await trio.lowlevel.wait_task_rescheduled(abort)
        if self.error is not None:
            raise self.error


class Bell:
    """Wakes one task that watches several sockets without taking anything from them."""

    __slots__ = ("_rung", "_task")

    def __init__(self) -> None:
        self._rung = False
        self._task: trio.lowlevel.Task | None = None

    def ring(self) -> None:
        """Something may be possible now."""
        self._rung = True
        if self._task is not None:
            trio.lowlevel.reschedule(self._task)
            self._task = None

    async def wait(self) -> None:
        """Sleep until rung since the last `wait`. Always a schedule and cancellation point."""
        if self._rung:
            await trio.lowlevel.checkpoint()
        else:
            self._task = trio.lowlevel.current_task()

            def abort(_: object) -> trio.lowlevel.Abort:
                self._task = None
                return trio.lowlevel.Abort.SUCCEEDED

            await trio.lowlevel.wait_task_rescheduled(abort)
        self._rung = False


class Watchers:
    """Tasks that wait until something about a socket's peers has changed, and then look again."""

    __slots__ = ("_lot",)

    def __init__(self) -> None:
        self._lot: trio.lowlevel.ParkingLot | None = None  # while somebody waits: it takes 240 bytes

    def wake(self) -> None:
        """Something has changed."""
        lot, self._lot = self._lot, None
        if lot is not None:
            lot.unpark_all()

    async def wait(self) -> None:
        """Sleep until something changes."""
        if self._lot is None:
            self._lot = trio.lowlevel.ParkingLot()
        await self._lot.park()
