"""How much may be done before the other tasks have their turn.

Theory of operation

A trio schedule point costs several times what queueing a message costs, so a socket does not take one for every
message. All sockets of a context share one `Turn`, which counts down; the call that uses up the turn takes the
schedule point for all of them. A call that waits has been a schedule point anyway, and starts a new turn.

Messages are a poor measure where the user's own work lies between two calls. So the clock is looked at after 4 and
after 16 of the 64 messages: a turn that has lasted a millisecond by then is over.
"""

from __future__ import annotations

import math
from typing import Final

import trio

from ._turn_end import TurnEnd

MESSAGES_PER_TURN: Final = 64
"""messages sent or received between two schedule points, at most: 0.1 ms or less for small ones"""
LONGEST_TURN: Final = 1e-3
"""seconds from the begin of the turn, or from when trio last looked for events; a turn that lasts longer is over"""
_FIRST_LOOK: Final = 4  # messages; then the clock is looked at, and again after four times as many


class Turn:
    """How many messages may still go before the next schedule point.

    Args:
      size: messages in a turn.
      turn_end: knows when the turns of all tasks began.

    Attributes:
      left: messages before the next look at the clock, or the end of the turn.
      more: messages that may follow, if that look says so.
    """

    __slots__ = ("_began", "_first", "_rest", "_size", "_turn_end", "left", "more")

    def __init__(self, size: int, turn_end: TurnEnd) -> None:
        self._size = size
        self._first = min(_FIRST_LOOK, size)
        self._rest = size - self._first
        self._turn_end = turn_end
        self._began = -math.inf  # when the task went on that used the turn before up
        self.left: int = self._first
        self.more: int = self._rest

    def renew(self) -> None:
        """A task is about to wait, or has waited: the task that runs next has a whole turn."""
        self.left = self._first
        self.more = self._rest

    def grant(self, messages: int) -> None:
        """Let so many messages go without a look at the clock: nobody else's work lies between them."""
        self.left, self.more = messages, 0

    async def end(self) -> None:
        """The messages before the next look are used up: let other tasks run, if it is time for that.

        Not a cancellation point: something was just taken or sent.
        """
        rest = self.left + self.more  # less than `more` if the last call used up more than was left
        if rest > 0 and not self._turn_end.lasts(LONGEST_TURN, self._began):
            self.left = min(rest, 3 * (self._size - rest))
            self.more = rest - self.left
            return
        self.renew()
        await trio.lowlevel.cancel_shielded_checkpoint()
        self._began = trio.current_time()
