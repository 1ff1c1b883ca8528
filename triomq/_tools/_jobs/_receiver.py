"""The receiving end of a job channel: one worker."""

from __future__ import annotations

from threading import get_ident
from types import TracebackType
from typing import Self, Unpack, final

import trio

from ..._errors import WrongStateError
from ..._message import Message, MessageLike, as_message
from ..._options import OptionArguments
from ..._sockets import DEALER
from . import _wire as wire
from ._sockets import SocketMaker, make_socket, shown_endpoints


@final
class JobReceiver(trio.abc.ReceiveChannel[Message]):
    """One worker: gets a job when it asks for one. The receiving end of a job channel.

    ``async for job in receiver`` is the loop of a worker. Asking for the next job says that the one before is done; so
    does `done`, which can send a result. If the loop is left in the midst of a job, that job is not done: the sender is
    told when this channel is closed, or when the next loop begins.

    It is for one task at a time: for more workers make more of these. It has one sender: connect it once, or bind it
    and let one sender connect.

    Args:
      ctx: the `Context` that makes the DEALER of the channel.
      credit: jobs asked for at a time. With 1, a job is asked for when the one before is done, so jobs wait where they
        are until a worker is free, and the worker waits one round trip for each. With 2, the next job comes while this
        one is worked on.
      options: of the DEALER; see `Options`. ``heartbeat_interval`` is 10 s by default, and ``heartbeat_timeout`` 30 s.
    Raises:
      TypeError: an option has no meaning here.
      ValueError: a value is out of range.

    Attributes:
      socket: the DEALER: what `Socket` has to look at, such as ``monitor`` and ``peers``.
      messages_ignored: that the sender sent and that have no meaning.
    """

    def __init__(self, ctx: SocketMaker, *, credit: int = 1, **options: Unpack[OptionArguments]) -> None:
        if not isinstance(credit, int) or isinstance(credit, bool) or not 1 <= credit < wire.MOST_CREDIT:
            raise ValueError(f"JobReceiver(credit={credit!r}): it is a number of jobs, 1 or more")
        self.socket: DEALER = make_socket(ctx, DEALER, "JobReceiver", options, {"probe_router": True, "max_peers": 1})
        self.messages_ignored: int = 0
        self._most_frames = self.socket.options.max_frames - wire.HEADER_FRAMES
        self._credit = credit
        self._token: bytes | None = None  # of the connection to the sender; None before the first
        self._asked = 0  # jobs that were asked for over that connection, and have not come
        self._in_hand: tuple[bytes, bytes] | None = None  # token and number of the job that is worked on
        self._given_up: tuple[bytes, bytes] | None = None  # likewise, of a job that the sender is still to be told of
        self._receiving = False

    # --- endpoints --------------------------------------------------------------------------

    async def bind(self, endpoint: str) -> str:
        """Let a sender connect to an endpoint; as `Socket.bind`.

        Raises:
          WrongStateError: this channel has an endpoint.
          Otherwise as `Socket.bind`.
        """
        self._check_endpoint("bind", endpoint)
        return await self.socket.bind(endpoint)

    def connect(self, endpoint: str) -> None:
        """Connect to a sender; as `Socket.connect`.

        Raises:
          WrongStateError: this channel has another endpoint.
          Otherwise as `Socket.connect`.
        """
        self._check_endpoint("connect", endpoint)
        self.socket.connect(endpoint)

    def _check_endpoint(self, what: str, endpoint: str) -> None:
        there = self.socket.endpoints
        if there and there != (endpoint,):
            raise WrongStateError(
                f"JobReceiver.{what}({endpoint!r}): it has its sender at {there[0]}; make another JobReceiver"
            )

    # --- jobs -------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        """Begin a loop over the jobs to come; a job that is in hand is given up."""
        if self._in_hand is not None:
            self._given_up, self._in_hand = self._in_hand, None
        return self

    @trio.lowlevel.enable_ki_protection
    async def receive(self) -> Message:
        """Say that the job before is done, ask for the next one, and wait for it.

        Cancellation: the next `receive` gets the job, if one was asked for.
        Raises:
          trio.ClosedResourceError: the channel is closed, or was closed while this waited.
          trio.BusyResourceError: another task waits in this.
        """
        if get_ident() != self.socket._thread:  # closed, or of another thread
            self.socket._check("receive")
        if self._receiving:
            raise trio.BusyResourceError("JobReceiver.receive: another task waits in it; make a JobReceiver for each")
        self._receiving = True
        try:
            if self._given_up is not None:
                await self.socket.send((wire.BACK, *self._given_up))
                self._given_up = None
            if self._in_hand is not None:
                await self.done()
            while True:
                await self._ask()
                job = self._take(await self.socket.receive())
                if job is not None:
                    return job
        finally:
            self._receiving = False

    @trio.lowlevel.enable_ki_protection
    async def done(self, result: MessageLike = b"") -> None:
        """Say that the job in hand is done.

        Args:
          result: for the sender's `JobSender.request`, as for the ``send`` of a socket.
        Cancellation: it was not said, and the job is still in hand.
        Raises:
          WrongStateError: there is no job in hand.
          Otherwise as the ``send`` of a socket.
        """
        frames = as_message(result)
        if self._in_hand is None:
            self.socket._check("send")
            raise WrongStateError("JobReceiver.done: no job is in hand; receive one first, and call this once for it")
        if len(frames) > self._most_frames:
            raise ValueError(
                f"JobReceiver.done: a result of {len(frames)} frames; max_frames={self.socket.options.max_frames} "
                f"allows {self._most_frames}, as {wire.HEADER_FRAMES} are the channel's own"
            )
        await self.socket.send((wire.DONE, *self._in_hand, *frames))
        self._in_hand = None

    async def _ask(self) -> None:
        """Ask for as many jobs as may be under way; not before half of them have come, which is half the messages."""
        more = self._credit - self._asked
        if self._token is not None and 2 * more >= self._credit:
            await self.socket.send((wire.READY, self._token, b"%d" % more))
            self._asked += more

    def _take(self, message: Message) -> Message | None:
        """What the sender said. Returns: a job, if it is one."""
        match message:
            case (kind, token) if kind == wire.HELLO:
                self._token, self._asked = token, 0
            case (kind, token, number, *frames) if kind == wire.JOB and frames:
                if token == self._token:
                    self._asked -= 1
                self._in_hand = (token, number)
                return Message(frames)
            case (b"",):
                return None  # the probe of a sender that has ``probe_router``
            case _:
                self.messages_ignored += 1
        return None

    # --- the end ----------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Close the channel; a job that is in hand is not done. Idempotent.

        Cancellation: the channel is closed all the same; what was said last may not leave.
        """
        await self.socket.aclose()

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<triomq.JobReceiver {shown_endpoints(self.socket)}>"
