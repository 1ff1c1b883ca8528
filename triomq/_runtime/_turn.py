"""How much may be done before the other tasks have their turn.

Theory of operation

A trio schedule point costs several times what queueing a message costs, so a socket does not take one for every
message. All sockets of a context share one `Turn`, which counts down; the call that uses up the turn takes the
schedule point for all of them. A call that waits has been a schedule point anyway, and starts a new turn.

Messages are a poor measure where the user's own work lies between two calls. So the clock is looked at after 4 of the
64 messages: a turn that has lasted a millisecond by then is over. If it has lasted for less, but too long for 64
messages, the clock is looked at again after 16. Small messages pay for one look.

One call may take as long as many: one that makes room for its message by writing others, or by encrypting them. What
has written much says so, and the clock is looked at after that very call.

A task that has read a connection for itself does not answer for those that were woken with it and had their turns
first: its turn begins with the read. A hundred subscribers, each of which has read some hundred messages, would
otherwise receive a part of them each time, and find the rest out of the processor's cache when they go on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Protocol

import trio

MESSAGES_PER_TURN: Final = 64
"""messages sent or received between two schedule points, at most: 0.1 ms or less for small ones"""
LISTED_PER_CALL: Final = 4
"""messages of a list that cost as much as one call for one message, and count as that"""
LONGEST_TURN: Final = 1e-3
"""seconds from the begin of the turn, or else from when trio last began to look for events; a longer turn is over"""
_FIRST_LOOK: Final = 4  # messages; then the clock is looked at
_SHORT: Final = LONGEST_TURN / 16  # seconds; if the first messages took less, all of a turn take less than LONGEST_TURN


class Clock(Protocol):
    """What a turn is measured with; a `TurnEnd` is one.

    Attributes:
      now: trio's clock.
      polled_at: time when trio last began to look for events.
      read_at: time when a connection last brought something.
      goes_on: told that a task has used up its turn, and will run again.
    """

    now: Callable[[], float]
    polled_at: float
    read_at: float
    goes_on: bool


class Turn:
    """How many messages may still go before the next schedule point.

    Args:
      size: messages in a turn.
      clock: knows when the turns of all tasks began.

    Attributes:
      left: messages before the next look at the clock, or the end of the turn.
      more: messages that may follow, if that look says so.
      listed: messages of a list that count as one.
    """

    __slots__ = ("_began", "_clock", "_first", "_rest", "_size", "left", "listed", "more")

    def __init__(self, size: int, clock: Clock) -> None:
        self._size = size
        self._first = min(_FIRST_LOOK, size)
        self._rest = size - self._first
        self._clock = clock
        self.listed: int = LISTED_PER_CALL if size > 1 else 1
        self._began = -math.inf  # when the task went on that used the turn before up, or that had waited for a message
        self.left: int = self._first
        self.more: int = self._rest

    def renew(self) -> None:
        """A task is about to wait, or has waited: the task that runs next has a whole turn."""
        self.left = self._first
        self.more = self._rest

    def begin(self) -> None:
        """A task goes on that has waited for a message, and mostly has just read it: its turn lasts from then on."""
        self.left = self._first
        self.more = self._rest
        self._began = self._clock.read_at

    def grant(self, messages: int) -> None:
        """Let ``messages`` messages go without a look at the clock: no other work lies between them."""
        self.left, self.more = messages, 0

    def use_up(self) -> None:
        """The turn is over, whatever was left of it."""
        self.left, self.more = 0, 0

    def look_soon(self) -> None:
        """Something has taken long: look at the clock after this message, or the next."""
        if self.left > 1:
            self.more += self.left - 1
            self.left = 1

    def is_over(self) -> bool:
        """The messages before the next look at the clock are used up: whether the turn is to `end` now."""
        rest = self.left + self.more  # less than `more` if the last call used up more than was left
        if rest <= 0:
            return True
        clock = self._clock
        lasted = clock.now() - max(clock.polled_at, self._began)
        if lasted >= LONGEST_TURN:
            return True
        self.left = rest if lasted < _SHORT else min(rest, 3 * (self._size - rest))
        self.more = rest - self.left
        return False

    async def end(self) -> None:
        """Let other tasks run, and begin a new turn.

        Not a cancellation point: something was just taken or sent.
        """
        self.renew()
        self._clock.goes_on = True
        await trio.lowlevel.cancel_shielded_checkpoint()
        self._began = self._clock.now()
