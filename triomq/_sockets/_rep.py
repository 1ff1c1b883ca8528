"""REP: receive a request, send its reply (RFC 28)."""

from __future__ import annotations

from typing import ClassVar, final

import trio

from .._errors import WrongStateError
from .._message import Frames, Message, new_message
from .._options import Options
from .._pipes import Event, Pipe
from .._runtime import Runtime
from ._receiving import ReceiveSocket
from ._sending import SendSocket


@final
class REP(SendSocket, ReceiveSocket, trio.abc.Channel[Message]):
    """Receives requests from all peers, each in turn, and replies to each before it receives the next.

    The reply goes back the way the request came, through any number of ROUTERs. It never waits: where the requester
    is gone or does not read, the reply is dropped and counted.
    """

    socket_type: ClassVar[str] = "REP"
    _interprets = True

    def __init__(self, runtime: Runtime, options: Options) -> None:
        super().__init__(runtime, options)
        self._requester: Pipe | None = None  # who awaits the reply
        self._envelope: tuple[bytes, ...] = ()

    @trio.lowlevel.enable_ki_protection
    async def receive(self) -> Message:
        """Wait for the next request.

        Cancellation: if this is cancelled, no request was taken; the next `receive` gets it.
        Raises:
          WrongStateError: the last request has not been replied to.
          trio.ClosedResourceError: the socket is closed, or was closed while this waited.
        """
        self._check_replied("receive")
        return await super().receive()

    @trio.lowlevel.enable_ki_protection
    def receive_nowait(self) -> Message:
        """Take the next request, if one has arrived.

        Raises:
          trio.WouldBlock: none has.
          Otherwise as `receive`.
        """
        self._check_replied("receive_nowait")
        return super().receive_nowait()

    async def receive_many(self, max: int) -> list[Message]:
        """Wait for the next request; a REP takes no second one before its reply.

        Returns: one request.
        Otherwise as `receive`.
        """
        return await super().receive_many(min(max, 1))

    def _check_replied(self, what: str) -> None:
        if self._requester is not None:
            self._check(what)
            raise WrongStateError(f"REP.{what}: the last request awaits its reply; send it first")

    def _interpret(self, pipe: Pipe, events: list[Event]) -> list[Message]:
        """Let through what has a delimiter and a body."""
        kept = [message for message in events if b"" in message[:-1]]
        pipe.dropped += len(events) - len(kept)
        return kept

    def _take(self) -> Message | None:
        if self._requester is not None:
            return None
        requester = self._fair_queue.next_pipe()
        request = self._fair_queue.take()
        if request is None:
            return None
        body = request.index(b"") + 1
        self._requester = requester
        self._envelope = request[:body]
        return new_message(Message, request[body:])

    _take_many = ReceiveSocket._take_each

    def _peek(self) -> Message | None:
        request = None if self._requester is not None else self._fair_queue.peek()
        return None if request is None else new_message(Message, request[request.index(b"") + 1 :])

    def _submit(self, message: Frames) -> bool:
        requester = self._requester
        if requester is None:
            raise WrongStateError("REP.send: there is no request to reply to; receive one first")
        self._requester = None
        if not requester.alive:
            self._past[2] += 1
        elif not requester.send_nowait(self._envelope + message):
            requester.dropped += 1
        if self._receivers or self._receive_bells:
            self._serve_receivers()
        return True
