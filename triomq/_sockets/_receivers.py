"""Tasks that wait to receive."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from .._message import Frames
from .._patterns import Receiver
from .._pipes import Loan
from ._patience import Patience
from ._waiting import Bell, Waiter

_QUICKEST_TRY: Final = 1e-6  # seconds that a system call takes which finds nothing, at the least
_let_others_run: Final[Callable[[], None]] = getattr(os, "sched_yield", lambda: None)  # the peer, on the same core


class Receivers:
    """The tasks that wait in ``receive`` of one socket, and those that watch for a message.

    Args:
      pattern: says which message is next.
      closed: the text of the error for those that wait when the socket is closed.

    Attributes:
      waiters: calls of ``receive``, the longest waiting first.
      bells: rung when there is a message.
    """

    __slots__ = ("_closed", "_closed_text", "_loan", "_patience", "_pattern", "_sent", "_serving", "bells", "waiters")

    def __init__(self, pattern: Receiver, closed: str) -> None:
        self.waiters: dict[Waiter[Frames], None] = {}
        self.bells: dict[Bell, None] = {}
        self._pattern = pattern
        self._closed_text = closed
        self._closed = False
        self._serving = False
        self._sent = 0  # messages that had left for the only peer when `poll` last looked
        self._patience = Patience()
        self._loan: Loan | None = None  # the connection that a task in `receive` reads for itself

    def __len__(self) -> int:
        """How many tasks wait in ``receive``."""
        return len(self.waiters) + (self._loan is not None)

    def wait(self) -> Awaitable[Frames]:
        """Wait for the next message, which there is none of now; to be awaited at once.

        Cancellation: no message was taken.
        Raises:
          trio.ClosedResourceError: the socket was closed meanwhile.
        """
        loan = self._borrow()
        return self._wait_in_line([]) if loan is None else self._read_for_itself(loan)

    async def _wait_in_line(self, later: list[Waiter[Frames]]) -> Frames:
        """Wait until the message is this task's turn; ``later`` are those who wait already, and come behind it."""
        waiter: Waiter[Frames] = Waiter()
        self.waiters[waiter] = None
        for other in later:
            self.waiters[other] = self.waiters.pop(other)
        self._serve()  # something may have come while the connection was given back
        await waiter.wait(self.waiters)
        assert waiter.message is not None
        return waiter.message

    def poll(self, seconds: float, now: Callable[[], float]) -> Frames | None:
        """Try for a while to read the answer to what was sent, without letting other tasks run.

        Args:
          seconds: how long.
          now: the clock.
        Returns: the next message; None if it did not come, or if nothing was sent since the last time.
        """
        loan = self._borrow()
        if loan is None:
            return None
        message: Frames | None = None
        try:
            if self._has_sent():
                until, tries = now() + seconds, seconds / _QUICKEST_TRY  # the clock may stand still: a mock does
                while message is None and loan.borrowed and tries > 0:
                    message = self._look(loan)
                    tries = tries - 1 if now() < until else 0
                    if message is None:
                        _let_others_run()
        finally:
            loan.give_back()
        return message

    def _has_sent(self) -> bool:
        """Whether something has left for the only peer since the last time that this was asked."""
        (pipe,) = self._pattern.pipes
        before, self._sent = self._sent, pipe.sent
        return pipe.sent != before and not pipe.queued()

    def _borrow(self) -> Loan | None:
        """The connection to the only peer, if a task may read it for itself."""
        pipes = self._pattern.pipes
        if len(pipes) != 1 or self.waiters or self._loan is not None:
            return None
        (pipe,) = pipes
        return pipe.inbox.source.lend()

    # On the path of a message that is waited for.
    async def _read_for_itself(self, loan: Loan) -> Frames:
        """Wait for the connection to the only peer, and read it, in place of its own task.

        Returns: the next message, whoever brought it, and if not this task, because the connection has ended.
        Cancellation: no message was taken.
        """
        self._loan = loan
        message: Frames | None = None
        try:
            if self._has_sent() and loan.may_answer_soon() and (looks := self._patience.looks()):
                message = await self._look_for_answer(loan, looks)
            while message is None and loan.borrowed:
                try:
                    await loan.wait()
                except trio.ClosedResourceError:
                    loan.lost()
                message = self._look(loan)
        finally:
            self._loan = None
            loan.give_back()
            if self.waiters or self.bells:
                self._serve()
        if message is not None:
            return message
        return await self._wait_in_line(list(self.waiters))

    async def _look_for_answer(self, loan: Loan, looks: int) -> Frames | None:
        """Try to read a few times before the program goes to sleep; other tasks run before each try."""
        message: Frames | None = None
        while message is None and looks and loan.borrowed:
            await trio.lowlevel.checkpoint()
            message = self._look(loan)
            looks -= 1
        self._patience.note(message is not None)
        return message

    # On the path of a message that is waited for.
    def _look(self, loan: Loan) -> Frames | None:
        """Take the next message, which this task may have to read first."""
        if self._closed:
            raise trio.ClosedResourceError(self._closed_text)
        message = loan.take_in() if loan.borrowed else None
        return self._pattern.take() if message is None else message

    def wake(self) -> None:
        """There may be a message to take."""
        if self._loan is not None:
            self._loan.poke()  # the task that reads for itself comes first
        elif self.waiters:
            self._serve()
        elif self.bells:
            self._ring()

    def _serve(self) -> None:
        """Complete the calls that are possible now, the longest waiting first.

        Taking a message may let an inproc peer send its next one from within: that one is for the next round here.
        """
        if self._serving:
            return
        waiters = self.waiters
        self._serving = True
        try:
            while waiters:
                message = self._pattern.take()
                if message is None:
                    return
                waiter = next(iter(waiters))
                del waiters[waiter]
                waiter.finish(message)
        finally:
            self._serving = False
        if self.bells:
            self._ring()

    def _ring(self) -> None:
        if self._pattern.peek() is not None:
            for bell in self.bells:
                bell.ring()

    def close(self) -> None:
        """Let every waiting call raise `trio.ClosedResourceError`."""
        self._closed = True
        for waiter in self.waiters:
            waiter.finish(error=trio.ClosedResourceError(self._closed_text))
        self.waiters.clear()
        if self._loan is not None:
            self._loan.poke()
        for bell in self.bells:
            bell.ring()
