"""REQ: one request, one reply (RFC 28)."""

from __future__ import annotations

from threading import get_ident
from typing import Any, ClassVar, final

import trio

from .._advice import hide_arguments, refuse_extra
from .._errors import WrongStateError
from .._message import Message, MessageLike
from .._patterns import Pattern, Req
from ._receive_socket import ReceiveSocket
from ._send_socket import SendSocket
from ._shared import Shared


@final
class REQ(SendSocket, ReceiveSocket, trio.abc.Channel[Message]):
    """Sends a request to one peer, in turn, then receives its reply; strictly alternating."""

    socket_type: ClassVar[str] = "REQ"
    _pattern_class: ClassVar[type[Pattern]] = Req

    def __init__(self, shared: Shared, arguments: dict[str, Any]) -> None:
        super().__init__(shared, arguments)
        assert isinstance(self._pattern, Req)
        self._req: Req = self._pattern

    @trio.lowlevel.enable_ki_protection
    async def request(self, message: MessageLike, flags: None = None, timeout: None = None) -> Message:  # noqa: ASYNC109  # to be refused
        """Send a request and wait for its reply: one exchange.

        Cancellation: the request is given up, and the socket can send again. If it is still queued it is withdrawn;
          if it has been sent already, its late reply will be discarded.
        Raises:
          WrongStateError: a request sent by `send` awaits its reply.
          trio.BusyResourceError: another task is in `request`.
          trio.ClosedResourceError: the socket is closed, or was closed while this waited.
        """
        if get_ident() != self._thread:
            self._check("request")
        if flags is not None or timeout is not None:
            refuse_extra("request", "it takes one message, of one frame or of several", flags, timeout)
        if self._req.requesting:
            raise trio.BusyResourceError(
                "REQ.request: another task is in request() on this socket; use one REQ for each"
            )
        self._req.requesting = True
        try:
            await self.send(message)
            try:
                return await self.receive()
            finally:
                self._req.give_up()  # nothing to give up when the reply was received
        finally:
            self._req.requesting = False

    def _check_may_come(self, what: str) -> None:
        if self._req.asked is None:
            raise WrongStateError(f"REQ.{what}: no request was sent; send one first, or use request()")
        if self._count_receivers():
            raise trio.BusyResourceError(f"REQ.{what}: another task waits for this reply already")


hide_arguments(REQ.request, "flags", "timeout")
