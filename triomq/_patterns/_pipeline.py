"""PUSH and PULL (RFC 30)."""

from __future__ import annotations

from collections.abc import Sequence

from .._message import Frames
from .._pipes import Pipe, Received
from ._fair import FairReceiver
from ._round_robin import RoundRobin


class Push(RoundRobin):
    """PUSH: each message to the next peer that has room."""

    interprets = True

    def interpret(self, pipe: Pipe, events: Sequence[Received]) -> list[Frames]:
        """Drop it: nobody receives what a PULL says. Kept, it would stop the reading, and with that heartbeats."""
        pipe.drop(len(events))
        return []


class Pull(FairReceiver):
    """PULL: the messages of all peers, each in turn."""
