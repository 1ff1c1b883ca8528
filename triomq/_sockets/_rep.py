"""REP: receive a request, send its reply (RFC 28)."""

from __future__ import annotations

from typing import Any, ClassVar, final

import trio

from .._errors import WrongStateError
from .._message import Message
from .._patterns import Pattern, Rep
from ._receive_socket import ReceiveSocket
from ._send_socket import SendSocket
from ._shared import Shared


@final
class REP(SendSocket, ReceiveSocket, trio.abc.Channel[Message]):
    """Receives requests from all peers, each in turn, and replies to each before it receives the next.

    The reply goes back the way the request came, through any number of ROUTERs. It never waits: where the requester
    is gone or does not read, the reply is dropped and counted.
    """

    socket_type: ClassVar[str] = "REP"
    _pattern_class: ClassVar[type[Pattern]] = Rep

    def __init__(self, shared: Shared, arguments: dict[str, Any]) -> None:
        super().__init__(shared, arguments)
        assert isinstance(self._pattern, Rep)
        self._rep: Rep = self._pattern

    async def receive_many(self, max: int) -> list[Message]:
        """Wait for the next request; a REP takes no second one before its reply.

        Returns: one request.
        Otherwise as `receive`.
        """
        return await super().receive_many(min(max, 1) if isinstance(max, int) else max)

    def _check_may_come(self, what: str) -> None:
        if self._rep.requester is not None:
            raise WrongStateError(f"REP.{what}: the last request awaits its reply; send it first")
