"""Receive from many peers, none at another's expense (RFC 28, 30: fair-queuing)."""

from __future__ import annotations

from collections import deque
from itertools import chain

from .._message import Frames
from .._pipes import Inbox, Pipe

_LONG = 256  # messages; a list of so many is not made longer by what has not been taken apart yet


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
        """Forget every pipe, and what peers that are gone have left behind."""
        for pipe in self._round:
            pipe.inbox.in_round = False
            if not pipe.alive:
                pipe.inbox.queue.clear()
        self._round.clear()
        self.lone = None

    def next_pipe(self) -> Pipe | None:
        """The pipe that `take` would take from next."""
        return self._round[0] if self._round else None

    def peek(self) -> Frames | None:
        """The message `take` would return next."""
        return self._round[0].inbox.queue[0] if self._round else None

    # On the path of every message.
    def take(self) -> Frames | None:
        """The next message in turn, or None when there is none."""
        round_ = self._round
        if not round_:
            return None
        pipe = round_[0]
        inbox = pipe.inbox
        queue = inbox.queue
        message = queue.popleft()
        if not queue and inbox.backlog is not None:
            inbox.backlog.refill(1)
        if not queue:  # as `_leave` does, which would be a call for each message that comes by itself
            round_.popleft()
            inbox.in_round = False
            self.lone = round_[0].inbox if len(round_) == 1 else None
        elif len(round_) > 1 and pipe.peer is not None:
            round_.rotate(-1)
        if inbox.source_waits:
            inbox.taken()
        return message

    def take_many(self, most: int) -> list[Frames]:
        """The next messages in turn, up to ``most``; none when there are none."""
        messages: list[Frames] = []
        while self._round and len(messages) < most:
            has_backlog = self.lone is not None and self.lone.backlog is not None
            take = self._take_rounds if self.lone is None else self._take_lone
            messages += take(most - len(messages))
            if has_backlog and len(messages) >= _LONG:
                break
        return messages

    def _take_lone(self, most: int) -> list[Frames]:
        inbox = self._round[0].inbox
        queue = inbox.queue
        if len(queue) <= most:  # all that have arrived
            messages = list(queue)
            queue.clear()
            if inbox.backlog is not None:
                inbox.backlog.refill(most)
            if not queue:
                self._leave()
        else:
            messages = [queue.popleft() for _ in range(most)]
        inbox.taken()
        return messages

    def _take_rounds(self, most: int) -> list[Frames]:
        """Take whole rounds, for as long as each pipe of the round has a message; where that cannot be, one by one."""
        round_ = self._round
        if len(round_) > most or any([pipe.peer is None for pipe in round_]):  # what a peer has left behind comes first
            singles = [self.take() for _ in range(min(most, len(round_)))]
            return [message for message in singles if message is not None]
        inboxes = [pipe.inbox for pipe in round_]
        rounds = min(most // len(inboxes), *[len(inbox.queue) for inbox in inboxes])
        columns = [[inbox.queue.popleft() for _ in range(rounds)] for inbox in inboxes]
        for inbox in inboxes:
            if not inbox.queue and inbox.backlog is not None:
                inbox.backlog.refill(rounds)
            if inbox.queue:
                round_.rotate(-1)
            else:
                self._leave()
        for inbox in inboxes:  # last: messages may arrive from within
            inbox.taken()
        return [*chain.from_iterable(zip(*columns, strict=True))]
