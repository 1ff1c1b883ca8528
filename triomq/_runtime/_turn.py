"""How much may be done before the other tasks have their turn.

Theory of operation

A trio schedule point costs several times what queueing a message costs, so a socket does not take one for every
message. All sockets of a context share one `Turn`, which counts down; the call that uses up the turn takes the
schedule point for all of them. A call that waits has been a schedule point anyway, and starts a new turn.
"""

from __future__ import annotations

import trio

MESSAGES_PER_TURN = 64
"""messages sent or received between two schedule points, at most: 0.1 ms or less for small ones"""


class Turn:
    """How many messages may still go before the next schedule point."""

    __slots__ = ("left", "size")

    def __init__(self, size: int) -> None:
        self.size: int = size
        self.left: int = size

    def renew(self) -> None:
        """A task is about to wait, or has waited: the task that runs next has a whole turn."""
        self.left = self.size

    async def end(self) -> None:
        """Give the other tasks their turn. Not a cancellation point: something was just taken or sent."""
        self.renew()
        await trio.lowlevel.cancel_shielded_checkpoint()
