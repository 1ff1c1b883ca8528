"""Ctrl-C and SIGTERM: they end the run, and leave the command the last word."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self, TypeVar

import trio

T = TypeVar("T")

GRACE = 1.0
"""seconds for sending what is queued, after SIGTERM or when a command is given up"""


class Interruption:
    """Catches both signals, from before trio runs until after.

    Inside a trio program `trio.open_signal_receiver` is all one needs. This one also covers the moments before and
    after trio runs.

    Ctrl-C cancels everything. SIGTERM ends the `work`: what comes after the work, such as sending what is queued,
    still happens. A second SIGTERM cancels everything.

    Attributes:
      number: the signal that came, or None.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._everything = trio.CancelScope()
        self._work: trio.CancelScope | None = None
        self._token: trio.lowlevel.TrioToken | None = None

    def __enter__(self) -> Self:
        numbers = (signal.SIGINT, signal.SIGTERM)
        heeded = [one for one in numbers if signal.getsignal(one) is not signal.SIG_IGN]  # a job in the background
        self._handlers = {number: signal.signal(number, self._note) for number in heeded}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        everything = number == signal.SIGINT or self.number is not None
        self.number = number
        if self._token is not None:
            try:
                self._token.run_sync_soon(self._cancel, everything)
            except trio.RunFinishedError:
                pass  # it has just ended by itself

    def _cancel(self, everything: bool) -> None:
        scope = self._everything if everything or self._work is None else self._work
        scope.cancel(reason="interrupted by a signal")

    async def run(self, main: Callable[[Self], Awaitable[T]]) -> T | None:
        """Run ``main(self)``. Returns: what it returns; None if it was cancelled."""
        self._token = trio.lowlevel.current_trio_token()
        with self._everything:
            if self.number is not None:
                self._cancel(everything=True)
            return await main(self)
        return None

    @contextmanager
    def work(self) -> Iterator[None]:
        """The part that SIGTERM ends."""
        with trio.CancelScope() as self._work:
            if self.number is not None:
                self._work.cancel(reason="interrupted by a signal")
            try:
                yield
            finally:
                self._work = None
