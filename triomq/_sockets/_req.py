"""REQ: one request, one reply (RFC 28)."""

from __future__ import annotations

from typing import ClassVar, final

import trio

from .._errors import WrongStateError
from .._message import Frames, Message, MessageLike, new_message
from .._options import Options
from .._pipes import Event, Pipe
from .._runtime import Runtime
from ._balanced import BalancedSendSide
from ._receiving import ReceiveSocket
from ._sending import SendSocket

_DELIMITER = b""


@final
class REQ(BalancedSendSide, ReceiveSocket, trio.abc.Channel[Message]):
    """Sends a request to one peer, in turn, then receives its reply; strictly alternating.

    How a late reply is told from the one that is wanted: a request that was given up may still be answered. Until
    that has happened on the connection, further requests on it carry a request id, a frame of four octets before
    the delimiter, which every peer that follows RFC 28 returns. With ``req_correlate`` every request does.
    """

    socket_type: ClassVar[str] = "REQ"
    _interprets = True
    _never_refuses = False

    def __init__(self, runtime: Runtime, options: Options) -> None:
        super().__init__(runtime, options)
        self._asked: Pipe | None = None  # who owes the reply that is wanted
        self._expected: tuple[bytes, ...] = ()  # what its reply begins with
        self._request: Message | None = None  # as it was sent, envelope included
        self._given_up: dict[Pipe, Message] = {}  # requests without id whose reply may still come, and is not wanted
        self._next_id = runtime.random.getrandbits(32)
        self._requesting = False

    @trio.lowlevel.enable_ki_protection
    async def request(self, message: MessageLike) -> Message:
        """Send a request and wait for its reply: one exchange.

        Cancellation: the request is given up, and the socket can send again. If it is still queued it is withdrawn;
          if it has been sent already, its late reply will be discarded.
        Raises:
          WrongStateError: a request sent by `send` awaits its reply.
          trio.BusyResourceError: another task is in `request`.
          trio.ClosedResourceError: the socket is closed, or was closed while this waited.
        """
        self._check("request")
        if self._requesting:
            raise trio.BusyResourceError(
                "REQ.request: another task is in request() on this socket; use one REQ for each"
            )
        self._requesting = True
        try:
            await self.send(message)
            try:
                return await self.receive()
            finally:
                self._give_up()  # nothing to give up when the reply was received
        finally:
            self._requesting = False

    @trio.lowlevel.enable_ki_protection
    async def receive(self) -> Message:
        """Wait for the reply to the request that was sent.

        Cancellation: the reply is still awaited; call `receive` again.
        Raises:
          WrongStateError: no request was sent.
          trio.BusyResourceError: another task waits for the reply already.
          trio.ClosedResourceError: the socket is closed, or was closed while this waited.
        """
        self._check_asked("receive")
        if self._count_receivers():
            raise trio.BusyResourceError("REQ.receive: another task waits for this reply already")
        return await super().receive()

    @trio.lowlevel.enable_ki_protection
    def receive_nowait(self) -> Message:
        """Take the reply, if it has arrived.

        Raises:
          trio.WouldBlock: it has not.
          Otherwise as `receive`.
        """
        self._check_asked("receive_nowait")
        return super().receive_nowait()

    def _check_asked(self, what: str) -> None:
        if self._asked is None:
            self._check(what)
            raise WrongStateError(f"REQ.{what}: no request was sent; send one first, or use request()")

    def _submit(self, message: Frames) -> bool:
        if self._asked is not None:
            if not self._options.req_relaxed:
                raise WrongStateError(
                    "REQ.send: the last request awaits its reply; receive it first, or use request(), "
                    "or create the socket with req_relaxed=True"
                )
            self._give_up()
        pipe = self._balancer.choose()
        if pipe is None:
            return False
        envelope: tuple[bytes, ...] = (_DELIMITER,)
        if self._options.req_correlate or pipe in self._given_up:
            self._next_id = (self._next_id + 1) & 0xFFFFFFFF
            envelope = (self._next_id.to_bytes(4, "big"), _DELIMITER)
        # Before it is sent: over inproc the reply may be there when `send` returns.
        self._asked, self._expected = pipe, envelope
        self._request = new_message(Message, envelope + message)
        self._balancer.send(self._request)
        return True

    _room_for_many = SendSocket._room_for_many  # each request needs its envelope, and its turn

    def _take(self) -> Message | None:
        reply = self._fair_queue.take()
        if reply is not None:
            self._asked = None
        return reply

    _take_many = ReceiveSocket._take_each

    def _give_up(self) -> None:
        """Want the reply no longer."""
        pipe, self._asked = self._asked, None
        request, self._request = self._request, None
        if pipe is None or request is None:
            return
        if pipe.withdraw(request):
            pipe.room_made()
            return
        arrived = self._fair_queue.take() is not None
        if not arrived and len(self._expected) == 1:
            self._given_up[pipe] = request

    def _interpret(self, pipe: Pipe, events: list[Event]) -> list[Message]:
        """Let through what is the awaited reply, without its envelope."""
        kept: list[Message] = []
        for message in events:
            size = len(self._expected)
            if pipe in self._given_up and message[:1] == (_DELIMITER,):
                del self._given_up[pipe]
            elif (
                pipe is self._asked
                and not kept
                and not pipe.inbox
                and message[:size] == self._expected
                and len(message) > size
            ):
                kept.append(new_message(Message, message[size:]))
                continue
            pipe.dropped += 1
        return kept

    def _peer_ready(self, pipe: Pipe) -> None:
        super()._peer_ready(pipe)
        if self._options.probe_router:
            pipe.send_nowait(Message([b""]))

    def _peer_lost(self, pipe: Pipe) -> None:
        request = self._given_up.pop(pipe, None)
        if request is not None:
            pipe.withdraw(request)  # if it had not left whole, it would be sent again
        super()._peer_lost(pipe)
