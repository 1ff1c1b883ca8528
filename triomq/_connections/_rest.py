"""Whether nobody need read a connection, because a task goes on receiving what was read."""

from __future__ import annotations

from typing import Final

from .. import zmtp
from .._pipes import QueuedPipe
from .._runtime import MESSAGES_PER_TURN, TurnEnd
from ._heartbeats import Heartbeats
from ._writer import Writer

_LONGEST: Final = 0.05  # seconds


class Rest:
    """The time in which nobody reads one connection.

    It lasts as long as a task receives something in each turn, and there is more. Meanwhile the peer has its PINGs
    answered late, and nobody learns that it has hung up. So there is a limit.

    Args:
      pipe, protocol, writer, heartbeats: of the connection.

    Attributes:
      taken: messages that were taken by the end of the last turn of the rest; assign -1 to begin a new one.
    """

    __slots__ = ("_ends", "_heartbeats", "_pipe", "_protocol", "_turn_end", "_writer", "taken")

    def __init__(
        self, pipe: QueuedPipe, protocol: zmtp.WireProtocol, writer: Writer, heartbeats: Heartbeats, turn_end: TurnEnd
    ) -> None:
        self._pipe = pipe
        self._protocol = protocol
        self._writer = writer
        self._heartbeats = heartbeats
        self._turn_end = turn_end
        self.taken: int = -1
        self._ends = 0.0

    def is_worth_it(self) -> bool:
        """Whether more has come than a task will receive in a turn."""
        inbox = self._pipe.inbox
        return inbox.direct and len(inbox.queue) > MESSAGES_PER_TURN

    def goes_on(self) -> bool:
        """Whether nobody need read in the next turn either; asked at the end of each."""
        pipe, inbox, now = self._pipe, self._pipe.inbox, self._turn_end.polled_at
        taken = pipe.received - len(inbox.queue)
        if not inbox.queue or taken == self.taken or (self._protocol.has_buffered and inbox.backlog is None):
            return False
        if self._heartbeats.awaits_pong or self._writer.taken_at() >= (pipe.last_traffic or now):
            return False  # who has written last may soon write again, and is to know by then if the peer has hung up
        if self.taken < 0:
            # The peer may ping meanwhile. How often is not known before its first PING: but it did not since it came.
            between_pings = min(2 * self._heartbeats.sign_of_life_every, now - pipe.since)
            self._ends = now + min(_LONGEST, between_pings / 4)
        elif now >= self._ends:
            return False
        self.taken = taken
        return True
