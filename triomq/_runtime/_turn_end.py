"""What is done when the tasks have had their turns, and trio is about to look for what has happened meanwhile.

Theory of operation

A task that has read a connection for itself gives it back when it has its message (see `triomq._reader`). It mostly
wants it again before it lets anybody else run: for the next message. To find out by a task that is woken each time
would cost an iteration of trio's loop for every message, 5 µs: a tenth of a round trip. trio tells instruments when
it is about to wait for events; that costs 0.2 µs, and whoever has not taken the connection again by then is
elsewhere.

It is one instrument for all contexts of a run: with one each, a thousand contexts would pay a thousand times.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import trio


class Loan(Protocol):
    """A connection that was given back."""

    borrowed: bool
    """Whether somebody has it again."""

    def resume(self) -> None:
        """Reschedule the task whose it is, if that sleeps."""


class TurnEnd(trio.abc.Instrument):
    """Lets those go on who wait for a turn to end.

    Args:
      token: of the run that it is an instrument of.
    """

    place: trio.lowlevel.RunVarToken[TurnEnd]
    """Where the run keeps it."""

    def __init__(self, token: trio.lowlevel.TrioToken) -> None:
        self.users: int = 0
        self._token = token
        self._returned: list[Loan] = []

    def give_back(self, loan: Loan) -> None:
        """Resume it when the turn ends, unless it is borrowed again by then."""
        self._returned.append(loan)

    # Between any two iterations of trio's loop.
    def before_io_wait(self, timeout: float) -> None:
        """See `trio.abc.Instrument`."""
        if self._returned:
            returned, self._returned = self._returned, []
            for loan in returned:
                if not loan.borrowed:
                    loan.resume()
                    if timeout > 0:  # trio knows of no task that can run: do not let it wait
                        self._token.run_sync_soon(_nothing, idempotent=True)


def _nothing() -> None:
    """What trio is to do soon."""


_CURRENT: Final[trio.lowlevel.RunVar[TurnEnd]] = trio.lowlevel.RunVar("triomq end of turn")


@contextmanager
def turn_end() -> Iterator[TurnEnd]:
    """The one of this run, as long as anybody has it."""
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
