"""Calls that other threads leave for a trio run.

Theory of operation

A thread has nothing of another trio run but this: it leaves a call, and the run makes it. The calls lie in one queue,
and the run is woken by one `trio.lowlevel.TrioToken.run_sync_soon` for all that lie there when it comes to look, not by
one for each. So a thousand calls cost one wake-up, which is a system call and a turn of trio's loop: some 10 µs. That
is libzmq's mailbox with its one signaler.

The lock is held for an append, or for a look at two flags, never for a call, and never while anything waits. So nothing
here rests on the interpreter's lock: whether a call was accepted is decided under ours, once. Messages do not take the
lock, batches of them do.

What was accepted is made once, in the order in which it was left: by the run, or by `Mailbox.close`, which the run
calls before it goes. A run that dies without it, as by a `trio.TrioInternalError`, makes none of them: what it had
accepted is lost with it, as what lay in its sockets is.

A forked child has no other threads: its copy of a mailbox is closed, empty, and has a lock that nobody holds. To wake a
run there would wake the parent's, for both have the one pipe by which trio is woken.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

import trio

from .._forks import NO_FORK, let_go_when_forked

_IN_ONE_GO: Final = 64  # calls; then the other tasks of the run have their turns


class Mailbox:
    """Calls that any thread leaves for one trio run.

    Args:
      token: of the run.
      failed: is given, in the run, what a call raised. The calls behind it are made all the same.

    Attributes:
      wakes: how often the run was woken.
    """

    __slots__ = ("__weakref__", "_calls", "_closed", "_failed", "_lock", "_token", "_when_closed", "_woken", "wakes")

    def __init__(self, token: trio.lowlevel.TrioToken, failed: Callable[[BaseException], None]) -> None:
        self.wakes: int = 0
        self._token = token
        self._failed = failed
        self._lock = threading.RLock()  # a finalizer may run anywhere, and come here from within
        self._calls: deque[Callable[[], object]] = deque()
        self._woken = False  # the run comes to look, and has not looked yet
        self._closed = False
        self._when_closed: list[Callable[[], object]] = []
        let_go_when_forked(self, Mailbox._end_in_child)

    def _end_in_child(self) -> None:
        self._lock = threading.RLock()
        self._closed = True
        self._calls.clear()

    @trio.lowlevel.enable_ki_protection
    def put(self, call: Callable[[], object]) -> bool:
        """Leave a call for the run; from any thread, the run's own included.

        Args:
          call: does not wait, and takes a fraction of a millisecond.
        Returns: whether it will be made; False if the mailbox is closed, or the run has ended.
        """
        with self._lock:
            if self._closed:
                return False
            self._calls.append(call)
            if self._woken:
                return True
            self._woken = True
            self.wakes += 1
        return self._wake()

    def _wake(self) -> bool:
        try:
            with NO_FORK:  # a child that is forked meanwhile would have trio's lock as it is, held for ever
                self._token.run_sync_soon(self._make_calls)
        except (trio.RunFinishedError, OSError):  # the latter where trio itself has crashed
            self.abandon()
            return False
        return True

    @trio.lowlevel.enable_ki_protection
    def _make_calls(self) -> None:
        with self._lock:
            count = len(self._calls)
            more = count > _IN_ONE_GO
            self._woken = more
            self.wakes += more
        if more:  # before any call: one of them may close the mailbox
            self._wake()
        for _ in range(min(count, _IN_ONE_GO)):
            if self._calls:
                self._make(self._calls.popleft())

    def _make(self, call: Callable[[], object]) -> None:
        try:
            call()
        except BaseException as exc:  # noqa: ASYNC103  # trio would end the whole run over it; `failed` has it raised elsewhere
            self._failed(exc)

    def make_now(self) -> None:
        """Make the calls that lie here now, before anything else that the run does. From the run itself."""
        for _ in range(len(self._calls)):
            if self._calls:
                self._make(self._calls.popleft())

    def when_closed(self, call: Callable[[], object]) -> None:
        """Have a call made when nothing is accepted any more: by `close` in the run, or by `abandon` in any thread."""
        with self._lock:
            if not self._closed:
                self._when_closed.append(call)
                return
        call()

    @trio.lowlevel.enable_ki_protection
    def close(self) -> None:
        """Accept nothing more, and make the calls that were accepted. From the run itself; idempotent."""
        with self._lock:
            self._closed = True
        while self._calls:
            self._make(self._calls.popleft())
        self._tell()

    @trio.lowlevel.enable_ki_protection
    def abandon(self) -> None:
        """The run has ended without `close`: accept nothing more, and forget what was accepted. From any thread."""
        with self._lock:
            self._closed = True
            self._calls.clear()
        self._tell()

    def _tell(self) -> None:
        with self._lock:
            calls, self._when_closed = self._when_closed, []
        for call in calls:
            call()
