"""PAIR: exactly one peer (RFC 31)."""

from __future__ import annotations

from collections.abc import Collection

from .._errors import PeerUnwantedError, WrongStateError
from .._pipes import Pipe
from ._fair import FairReceiver
from ._round_robin import RoundRobin


class Pair(RoundRobin, FairReceiver):
    """PAIR: to the one peer and from it; a second peer is not wanted."""

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
        if any(other is not pipe for other in self.pipes):
            raise PeerUnwantedError("this PAIR has its peer already")
