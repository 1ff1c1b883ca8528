"""Receive from many peers, none at another's expense (RFC 28, 30: fair-queuing)."""

from __future__ import annotations

from collections import deque

from .._message import Message
from .._pipes import Pipe


class FairQueue:
    """The pipes that have messages, in turn.

    A pipe leaves the round when its inbox is empty and joins it at the end when a message arrives, so the cost
    does not grow with the number of silent peers. A pipe whose peer has left stays until it is empty: what has
    arrived is delivered, and all of it at its turn. For the peer may be back by another pipe, which stands behind
    this one, and what it sent first comes first.
    """

    __slots__ = ("_ready",)

    def __init__(self) -> None:
        self._ready: deque[Pipe] = deque()

    def activate(self, pipe: Pipe) -> None:
        """A message has arrived in the pipe's empty inbox."""
        if not pipe.listed:
            pipe.listed = True
            self._ready.append(pipe)

    def clear(self) -> None:
        """Forget every pipe."""
        for pipe in self._ready:
            pipe.listed = False
        self._ready.clear()

    def next_pipe(self) -> Pipe | None:
        """The pipe that `take` would take from next."""
        return self._ready[0] if self._ready else None

    def peek(self) -> Message | None:
        """The message `take` would return next."""
        return self._ready[0].inbox[0] if self._ready else None

    # On the path of every message.
    def take(self) -> Message | None:
        """The next message in turn, or None when there is none."""
        ready = self._ready
        if not ready:
            return None
        pipe = ready[0]
        inbox = pipe.inbox
        message = inbox.popleft()
        if not inbox:
            ready.popleft()
            pipe.listed = False
        elif len(ready) > 1 and pipe.peer is not None:
            ready.rotate(-1)
        if pipe.stalled and len(inbox) <= pipe.resume_at:
            pipe.stalled = False
            pipe.resume()
        return message

    def take_many(self, most: int) -> list[Message]:
        """The next messages in turn, up to ``most``; none when there are none."""
        ready = self._ready
        if len(ready) == 1 and len(inbox := ready[0].inbox) <= most:  # all there are
            pipe = ready.popleft()
            pipe.listed = False
            messages = list(inbox)
            inbox.clear()
            if pipe.stalled:
                pipe.stalled = False
                pipe.resume()
            return messages
        messages = []
        while len(messages) < most and (message := self.take()) is not None:
            messages.append(message)
        return messages
