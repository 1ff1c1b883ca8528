"""PUSH and PULL: work to whoever has room (RFC 30)."""

from __future__ import annotations

from typing import ClassVar, final

from .._message import Message
from .._pipe import Event, Pipe
from ._balanced import BalancedSendSide
from ._receiving import ReceiveSide


@final
class PUSH(BalancedSendSide):
    """Sends each message to one of its PULL peers, in turn, passing over the full; waits while all are full."""

    socket_type: ClassVar[str] = "PUSH"
    _has_ingress = True

    def _ingress(self, pipe: Pipe, events: list[Event]) -> list[Message]:
        """Nobody receives what a PULL says; kept, it would stop the reading, and with it heartbeats."""
        pipe.dropped += len(events)
        return []


@final
class PULL(ReceiveSide):
    """Receives from all of its PUSH peers, each in turn."""

    socket_type: ClassVar[str] = "PULL"
