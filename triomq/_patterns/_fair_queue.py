"""Receive from many peers, none at another's expense (RFC 28, 30: fair-queuing)."""

from __future__ import annotations

from collections import deque

from .._message import Message
from .._pipes import Inbox, Pipe


class FairQueue:
    """The pipes that have messages, in turn.

    A pipe leaves the round when its inbox is empty and joins it at the end when a message arrives, so the cost
    does not grow with the number of silent peers. A pipe whose peer has left stays at the head until it is empty. For
    the peer may be back by another pipe, which stands behind this one, and what the peer sent first comes first.

    Attributes:
      lone: the inbox of the only pipe in the round; None if there is none, or several. While two messages or more are
        in it, `take` only takes the first, and tells a source that waits: others may do that by themselves.
    """

    __slots__ = ("_round", "lone")

    def __init__(self) -> None:
        self._round: deque[Pipe] = deque()
        self.lone: Inbox | None = None

    def activate(self, pipe: Pipe) -> None:
        """A message has arrived in the pipe's empty inbox."""
        if not pipe.inbox.in_round:
            pipe.inbox.in_round = True
            self._round.append(pipe)
            self.lone = None if len(self._round) > 1 else pipe.inbox

    def _leave(self) -> None:
        """The inbox of the first pipe is empty."""
        self._round.popleft().inbox.in_round = False
        self.lone = self._round[0].inbox if len(self._round) == 1 else None

    def clear(self) -> None:
        """Forget every pipe."""
        for pipe in self._round:
            pipe.inbox.in_round = False
        self._round.clear()
        self.lone = None

    def next_pipe(self) -> Pipe | None:
        """The pipe that `take` would take from next."""
        return self._round[0] if self._round else None

    def peek(self) -> Message | None:
        """The message `take` would return next."""
        return self._round[0].inbox.queue[0] if self._round else None

    # On the path of every message.
    def take(self) -> Message | None:
        """The next message in turn, or None when there is none."""
        round_ = self._round
        if not round_:
            return None
        pipe = round_[0]
        inbox = pipe.inbox
        queue = inbox.queue
        message = queue.popleft()
        if not queue:  # as `_leave` does, which would be a call for each message that comes by itself
            round_.popleft()
            inbox.in_round = False
            self.lone = round_[0].inbox if len(round_) == 1 else None
        elif len(round_) > 1 and pipe.peer is not None:
            round_.rotate(-1)
        if inbox.source_waits:
            inbox.taken()
        return message

    def take_many(self, most: int) -> list[Message]:
        """The next messages in turn, up to ``most``; none when there are none."""
        inbox = self.lone
        messages: list[Message] = []
        if inbox is not None and len(inbox.queue) <= most:  # all that have arrived
            self._leave()
            messages = list(inbox.queue)
            inbox.queue.clear()
            inbox.taken()
        elif inbox is not None:
            messages = [inbox.queue.popleft() for _ in range(most)]
            inbox.taken()
        else:
            while len(messages) < most and (message := self.take()) is not None:
                messages.append(message)
        return messages
