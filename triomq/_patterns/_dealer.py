"""DEALER (RFC 28)."""

from __future__ import annotations

from .._pipes import Pipe
from ._fair import FairReceiver
from ._probe import probe
from ._round_robin import RoundRobin


class Dealer(RoundRobin, FairReceiver):
    """DEALER: to the next peer that has room; from all peers, each in turn."""

    def ready(self, pipe: Pipe) -> None:
        probe(pipe, self.options)
