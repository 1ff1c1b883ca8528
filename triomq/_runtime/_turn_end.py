"""What happens at the end of a turn: all tasks had their turns, and trio is about to wait for events.

Theory of operation

A task that reads a connection for itself gives it back when it has its message (see `triomq._connections._reader`). It
mostly wants the connection again before any other task runs: for the next message. To find out by a task that is woken
each time would cost an iteration of trio's loop for every message: 5 µs, a tenth of a round trip. trio tells
instruments when it is about to wait for events, which costs 0.2 µs. A borrower that has not borrowed the connection
again by then is busy elsewhere, or at work on what it has read: then it will soon read again, and more at once.

The same instrument knows when trio last began to look for events: so long do the turns of all tasks last already. What
peers did before the look before that one is known to the tasks of their connections. What they did since then may be
known to the system alone, if a task has computed for long: then ``late_from`` has passed. After a sleep of the whole
program both take a turn for longer than it is. That costs one schedule point or one look too many, where a second call
of the instrument in each iteration of the loop would cost 0.4 µs.

One instrument serves all contexts of a run: with one each, a thousand contexts would pay a thousand times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import trio

from ._processor import Processor

LATE: Final = 10e-3
"""seconds; a connection that was looked at longer ago may have ended meanwhile: look before writing to it"""


class Returned(Protocol):
    """A connection that its borrower gave back."""

    borrowed: bool
    """Somebody has borrowed the connection again."""

    def may_rest(self) -> bool:
        """Whether it need not be read on: a task that goes on takes what was read. This is asked in each turn."""

    def resume(self) -> None:
        """Wake the reader's own task, if it sleeps."""


class TurnEnd(trio.abc.Instrument):
    """Lets the tasks of returned connections go on at the end of a turn.

    Args:
      token: of the run that this is an instrument of.

    Attributes:
      now: trio's clock; half the price of `trio.current_time`.
      polled_at: time when trio last began to look for events.
      read_at: time when a connection last brought something.
      processor: tells whether this thread has one for itself.
      resting: connections that were not read in the last turn, as a task received what they had brought.
      goes_on: a task that has used up its turn will run again: trio does not sleep before that.
      late_from: time from which on what happened to connections may be known to the system alone, because a task has
        computed for long. To look once too often does no harm.
      resume_unless_borrowed: called with a connection, has it resume when the turn ends, unless it is borrowed again,
        or may rest.
      users: contexts of this run that are open.
      if_the_run_dies: called when the run ends under open contexts, as it does when trio itself crashes.
    """

    place: trio.lowlevel.RunVarToken[TurnEnd]
    """To reset the run variable at the end."""

    def __init__(self, token: trio.lowlevel.TrioToken) -> None:
        self.users: int = 0
        self.if_the_run_dies: dict[Callable[[], None], None] = {}
        self.now: Callable[[], float] = trio.lowlevel.current_clock().current_time
        self.polled_at: float = self.now()
        self.read_at: float = self.polled_at
        self.processor: Processor = Processor()
        self.resting: int = 0
        self.goes_on: bool = False
        self._token = token
        self._returned: dict[Returned, None] = {}
        self.resume_unless_borrowed: Callable[[Returned], None] = self._returned.setdefault
        self.late_from: float = self.polled_at + LATE

    # Between any two iterations of trio's loop.
    def before_io_wait(self, timeout: float) -> None:
        """See `trio.abc.Instrument`."""
        self.late_from = self.polled_at + LATE  # what came by then is known to all
        self.polled_at = self.now()
        goes_on, self.goes_on = self.goes_on, False
        if self._returned:
            returned = list(self._returned)
            self._returned.clear()
            for connection in returned:
                if connection.borrowed:
                    continue
                if goes_on and connection.may_rest():
                    self._returned[connection] = None
                    continue
                connection.resume()
                if timeout > 0:  # trio knows of no task that can run: keep it from going to sleep
                    self._token.run_sync_soon(_wake_loop, idempotent=True)
            self.resting = len(self._returned)

    def after_run(self) -> None:
        """See `trio.abc.Instrument`: trio has crashed, else this would be no instrument any more."""
        for call in list(self.if_the_run_dies):
            call()


def _wake_loop() -> None:
    """Does nothing; scheduling it keeps trio from going to sleep now."""


_CURRENT: Final[trio.lowlevel.RunVar[TurnEnd]] = trio.lowlevel.RunVar("triomq end of turn")


@contextmanager
def turn_end() -> Iterator[TurnEnd]:
    """The instrument of this run; it stays as long as a context uses it."""
    try:
        hook = _CURRENT.get()
    except LookupError:
        hook = TurnEnd(trio.lowlevel.current_trio_token())
        hook.place = _CURRENT.set(hook)
        trio.lowlevel.add_instrument(hook)
    hook.users += 1
    try:
        yield hook
    finally:
        hook.users -= 1
        if not hook.users:
            _CURRENT.reset(hook.place)
            trio.lowlevel.remove_instrument(hook)
