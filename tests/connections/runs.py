"""Trio runs, each in a thread of its own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial

import trio

PATIENCE = 120.0
"""seconds after which a run hangs: many times what it takes on a machine that is busy"""


class Run:
    """A trio run in a thread.

    Attributes:
      failure: what the run ended with; None if it returned.
    """

    def __init__(self, main: Callable[[], Awaitable[object]]) -> None:
        self.failure: BaseException | None = None
        self._main = main
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            trio.run(self._bounded)
        except BaseException as exc:
            self.failure = exc

    async def _bounded(self) -> None:
        with trio.fail_after(PATIENCE):
            await self._main()

    def join(self) -> None:
        """Wait for its end.

        Raises: what it ended with.
        """
        self._thread.join(2 * PATIENCE)
        assert not self._thread.is_alive(), "the thread hangs"
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure

    async def joined(self) -> None:
        """As `join`, while this run goes on."""
        await trio.to_thread.run_sync(self.join)


def run_together(*mains: Callable[[], Awaitable[object]]) -> None:
    """Run each in a thread of its own, all at once."""
    runs = [Run(main) for main in mains]
    failures = []
    for run in runs:
        try:
            run.join()
        except BaseException as exc:
            failures.append(exc)
    if failures:
        raise failures[0]


def start(main: Callable[..., Awaitable[object]], *arguments: object) -> Run:
    """Begin a run in a thread of its own."""
    return Run(partial(main, *arguments))


@contextmanager
def switching_often(often: bool = True) -> Iterator[None]:
    """Threads take turns after every few steps; not under a tracer, with which CPython 3.11 cannot start them then."""
    before = sys.getswitchinterval()
    if often and sys.gettrace() is None:
        sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
