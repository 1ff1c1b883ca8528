"""Receiving from all peers, each in turn: what most socket types share."""

from __future__ import annotations

import random
from collections.abc import Callable

from .._message import Frames
from .._options import Options
from .._pipes import Pipe
from ._fair_queue import FairQueue
from ._pattern import NO_LONE_INBOX, Budget, LoneInbox, Receiver


class FairReceiver(Receiver):
    """Receives from all peers, each in turn."""

    def __init__(self, options: Options, rng: random.Random, turn: Budget) -> None:
        super().__init__(options, rng, turn)
        self.fair_queue: FairQueue = FairQueue()
        # What has come is what is received.
        self._as_it_came = not self.interprets and self.takes_as_it_is

    # On the path of a message that is waited for.
    def receive_lone(self, pipe: Pipe, message: Frames) -> Frames | None:
        """See `PipeOwner`."""
        return message if self._as_it_came and self.fair_queue.next_pipe() is None else None

    def readable(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""
        self.fair_queue.activate(pipe)
        self.receivers.wake()

    def take(self) -> Frames | None:
        return self.fair_queue.take()

    def take_function(self) -> Callable[[], Frames | None]:
        return self.fair_queue.take if type(self).take is FairReceiver.take else self.take

    def lone_inbox(self) -> LoneInbox:
        return self.fair_queue if type(self).take is FairReceiver.take else NO_LONE_INBOX

    def take_many(self, most: int) -> list[Frames]:
        return self.fair_queue.take_many(most)

    def peek(self) -> Frames | None:
        return self.fair_queue.peek()

    def close(self) -> None:
        self.fair_queue.clear()
