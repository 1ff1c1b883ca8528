"""Sending to one peer at a time, each in turn: what PUSH, DEALER, PAIR and REQ share."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import ClassVar

from .._message import Frames
from .._options import Options
from .._pipes import Pipe
from ._load_balancer import LoadBalancer
from ._pattern import Budget, Sender


class RoundRobin(Sender):
    """Sends each message to the next peer that has room, and refuses it while none has."""

    never_refuses: ClassVar[bool] = True

    def __init__(self, options: Options, rng: random.Random, turn: Budget) -> None:
        super().__init__(options, rng, turn)
        self.balancer: LoadBalancer = LoadBalancer()
        self._as_it_is = type(self).submit is RoundRobin.submit  # the user's message is what is sent

    def submit(self, message: Frames) -> bool:
        return self.balancer.send(message)

    def submit_function(self) -> Callable[[Frames], bool]:
        return self.balancer.send if self._as_it_is else self.submit

    def room_for_many(self) -> float:
        return self.balancer.room_for_many()

    def submit_many(self, messages: Sequence[Frames]) -> None:
        self.balancer.send_many(messages)

    def can_submit(self) -> bool:
        return self.balancer.choose() is not None

    def activate(self, pipe: Pipe) -> None:
        """Let the pipe have its turns."""
        self.balancer.activate(pipe)
        self.only = self.balancer.only() if self._as_it_is else None

    def deactivate(self, pipe: Pipe) -> None:
        """Send the pipe nothing more."""
        self.balancer.remove(pipe)
        self.only = self.balancer.only() if self._as_it_is else None

    def added(self, pipe: Pipe) -> None:
        self.activate(pipe)
        self.senders.wake()

    def removed(self, pipe: Pipe) -> None:
        self.deactivate(pipe)

    def writable(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""
        if not pipe.draining:  # disconnected: the pipe only sends what it has
            self.activate(pipe)
        self.senders.wake()
