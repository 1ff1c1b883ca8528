"""PAIR: exactly one peer (RFC 31)."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from .._errors import PeerUnwantedError, WrongStateError
from .._pipes import Pipe
from ._fair import FairReceiver
from ._round_robin import RoundRobin


class Pair(RoundRobin, FairReceiver):
    """PAIR: to the one peer and from it; a second peer is not wanted while the first is there.

    A PAIR that has bound and then connects may have several pipes, of which one at the most has a peer. Messages go to
    that one; while nobody is there they are queued for the oldest.
    """

    has_one_peer: ClassVar[bool] = True

    def check_endpoint(self, connected: Collection[str]) -> None:
        if connected:
            raise WrongStateError(
                f"this PAIR is connected to {', '.join(connected)}, and a PAIR has one peer; disconnect first"
            )

    def check_connect(self) -> None:
        for pipe in self.pipes:
            if pipe.peer is not None:
                raise WrongStateError(f"this PAIR has its peer already, by {pipe.endpoint}; unbind or close it first")

    def admit(self, pipe: Pipe) -> None:
        if pipe.draining:
            return  # disconnected: the peer only gets what is queued for it
        if any(other.peer is not None and other is not pipe for other in self.pipes):
            raise PeerUnwantedError("this PAIR has its peer already")

    def added(self, pipe: Pipe) -> None:
        self._choose()

    def ready(self, pipe: Pipe) -> None:
        self._choose()

    def lost(self, pipe: Pipe) -> None:
        self._choose()

    def removed(self, pipe: Pipe) -> None:
        self.deactivate(pipe)
        self._choose()

    def writable(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""
        self._choose()

    def _choose(self) -> None:
        """Send to the pipe that has the peer, or else to the oldest."""
        pipes = [pipe for pipe in self.pipes if pipe.peer is not None] or list(self.pipes)
        for pipe in self.pipes:
            if pipe is not pipes[0]:
                self.deactivate(pipe)
        if pipes:
            self.activate(pipes[0])
            self.senders.wake()
