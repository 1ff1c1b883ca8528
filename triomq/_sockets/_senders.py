"""Tasks that wait to send."""

from __future__ import annotations

import trio

from .._message import Frames
from .._patterns import Sender
from ._waiting import Bell, Waiter


class Senders:
    """The tasks that wait in ``send`` of one socket, and those that watch for room.

    Attributes:
      waiters: calls of ``send``, the longest waiting first.
      bells: rung when there may be room for somebody.
    """

    __slots__ = ("_due", "_pattern", "_serving", "bells", "waiters")

    def __init__(self, pattern: Sender) -> None:
        self.waiters: dict[Waiter[Frames], None] = {}
        self.bells: dict[Bell, None] = {}
        self._pattern = pattern
        self._serving = False
        self._due = False  # there may be room for a waiter that was passed over

    async def wait(self, message: Frames) -> None:
        """Wait until the message is accepted."""
        waiter = Waiter(message)
        self.waiters[waiter] = None
        self._serve()
        await waiter.wait(self.waiters)

    async def wait_for_room(self) -> None:
        """Wait until there may be room."""
        bell = Bell()
        self.bells[bell] = None
        try:
            await bell.wait()
        finally:
            del self.bells[bell]

    @property
    def bar_others(self) -> bool:
        """Tasks wait, and nobody may overtake them."""
        return bool(self.waiters) and self._pattern.full_for_all

    def wake(self) -> None:
        """There may be room for a message that had none, or no need of any."""
        if self.waiters or self.bells:
            self._serve()

    def _serve(self) -> None:
        """Complete the calls that are possible now, the longest waiting first.

        Sending may itself make room, and lead here from within: that is for another round here.
        """
        self._due = True
        if self._serving:
            return
        self._serving = True
        try:
            while self._due:
                self._due = False
                self._serve_each()
        finally:
            self._serving = False
        if self.bells and not self.bar_others:
            for bell in self.bells:
                bell.ring()

    def _serve_each(self) -> None:
        for waiter in list(self.waiters):
            message = waiter.message
            assert message is not None
            try:
                accepted = self._pattern.submit(message)
            except Exception as exc:  # the caller's to see: it is raised from its `send`
                del self.waiters[waiter]
                waiter.finish(error=exc)
                continue
            if accepted:
                del self.waiters[waiter]
                waiter.finish()
            elif self._pattern.full_for_all:
                return

    def close(self, error: str) -> None:
        """Let every waiting call raise `trio.ClosedResourceError`."""
        for waiter in self.waiters:
            waiter.finish(error=trio.ClosedResourceError(error))
        self.waiters.clear()
        for bell in self.bells:
            bell.ring()
