"""PUSH and PULL: work to whoever has room (RFC 30)."""

from __future__ import annotations

from typing import ClassVar, final

from .._message import Message
from .._pipes import Event, Pipe
from ._balanced import BalancedSendSide
from ._receiving import ReceiveSocket


@final
class PUSH(BalancedSendSide):
    """Sends each message to one of its PULL peers, in turn, passing over the full; waits while all are full."""

    socket_type: ClassVar[str] = "PUSH"
    _interprets = True

    def _interpret(self, pipe: Pipe, events: list[Event]) -> list[Message]:
        """Nobody receives what a PULL says; kept, it would stop the reading, and with it heartbeats."""
        pipe.dropped += len(events)
        return []


@final
class PULL(ReceiveSocket):
    """Receives from all of its PUSH peers, each in turn."""

    socket_type: ClassVar[str] = "PULL"
