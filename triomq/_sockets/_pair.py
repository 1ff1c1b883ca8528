"""PAIR: exactly one peer (RFC 31)."""

from __future__ import annotations

from typing import ClassVar, final

import trio

from .._errors import PeerUnwantedError, WrongStateError
from .._message import Message
from .._pipes import Pipe
from ._balanced import BalancedSendSide
from ._receiving import ReceiveSocket


@final
class PAIR(BalancedSendSide, ReceiveSocket, trio.abc.Channel[Message]):
    """Talks with one PAIR peer; a second one is turned away, and told of by a monitor event."""

    socket_type: ClassVar[str] = "PAIR"

    def _check_new_endpoint(self) -> None:
        if self._connected:
            raise WrongStateError(
                f"this PAIR is connected to {', '.join(self._connected)}, and a PAIR has one peer; disconnect first"
            )

    @trio.lowlevel.enable_ki_protection
    def connect(self, endpoint: str) -> None:
        """Connect to an endpoint, as `Socket.connect`.

        Raises:
          WrongStateError: this PAIR has its peer already, or an endpoint to find it at.
        """
        self._check("connect")
        if endpoint not in self._connected:
            for pipe in self._pipes:
                if pipe.peer is not None and not pipe.draining:
                    raise WrongStateError(
                        f"this PAIR has its peer already, by {pipe.endpoint}; unbind or close it first"
                    )
        super().connect(endpoint)

    def _admit(self, pipe: Pipe) -> None:
        if any(other is not pipe for other in self._pipes):
            raise PeerUnwantedError("this PAIR has its peer already")
