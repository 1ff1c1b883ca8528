"""DEALER: asynchronous requests (RFC 28)."""

from __future__ import annotations

from typing import ClassVar, final

import trio

from .._message import Message
from .._pipes import Pipe
from ._balanced import BalancedSendSide
from ._receiving import ReceiveSocket

PROBE = Message([b""])
"""What ``probe_router`` sends to each new peer."""


@final
class DEALER(BalancedSendSide, ReceiveSocket, trio.abc.Channel[Message]):
    """Sends to its peers in turn, waiting while all are full; receives from all of them, each in turn.

    To talk to a REP peer, begin each message with an empty frame.
    """

    socket_type: ClassVar[str] = "DEALER"

    def _peer_ready(self, pipe: Pipe) -> None:
        super()._peer_ready(pipe)
        if self._options.probe_router:
            pipe.send_nowait(PROBE)
