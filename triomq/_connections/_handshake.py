"""The handshake of one connection, and how long the peer has for its part of it."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from .. import zmtp
from .._errors import RefusedByPeerError
from .._message import BytesLike
from .._options import Options
from .._runtime import given_back
from .._transports import NonblockingStream, try_receive
from ._writer import without

_READ_SIZE: Final = 16 * 1024  # bytes asked for in one read of a peer not known yet, which shall cost little


class HungUpError(trio.BrokenResourceError):
    """The peer closed the connection in the middle of the handshake, without a word.

    Args:
      what: the peer did, and when.
      why: what that means, if there are peers that refuse so.
    """

    def __init__(self, what: str, why: str = "") -> None:
        super().__init__(f"{what}; if it does so again, {why}" if why else what)
        self.what = what
        self.why = why

    def as_refusal(self) -> RefusedByPeerError:
        """The same, where nobody waits to see whether the peer does so again."""
        error = RefusedByPeerError(f"{self.what}: {self.why}")
        error.__cause__ = self
        return error


class Patience:
    """The time limits of one handshake.

    A limit that is noticed late was up while this program stood still: it computed, or was stopped. What the peer said
    meanwhile lies in the kernel, and what the peer waited for was not written. So the peer gets that time once more.

    Args:
      options: of the socket.
      address: of the peer, for the text of errors.
      accepted: the peer dialled, and has ``greeting_timeout`` for its greeting.
    """

    __slots__ = ("_address", "_begun", "_deadline", "_greeting_timeout", "_handshake_timeout", "_limit")

    def __init__(self, options: Options, address: str, *, accepted: bool) -> None:
        self._address = address
        self._handshake_timeout = options.handshake_timeout
        self._greeting_timeout = options.greeting_timeout if accepted else math.inf
        self._begun = trio.current_time()
        self._deadline = math.inf
        self._limit = ""

    def deadline(self, *, greeted: bool) -> float:
        """The time at which the peer must have finished what it is at: its greeting, or the whole handshake."""
        timeout = self._handshake_timeout
        self._limit = "handshake_timeout"
        if not greeted and self._greeting_timeout < timeout:
            timeout = self._greeting_timeout
            self._limit = "greeting_timeout"
        self._deadline = self._begun + timeout
        return self._deadline

    def is_over(self, *, resumable: bool, judging: bool, why: str) -> None:
        """The deadline is over: go on if that was noticed late.

        Args:
          resumable: nothing was interrupted that cannot be taken up again.
          judging: it was the authenticator that had not answered yet.
          why: the peer is silent, if that is known.
        Raises:
          trio.TooSlowError: the peer has had its time.
        """
        late = trio.current_time() - self._deadline
        more = given_back(late, self._handshake_timeout)
        if not more or not resumable:
            what, limit = self._limit.partition("_")[0], self._limit
            timeout = self._handshake_timeout if what == "handshake" else self._greeting_timeout
            what = f"verdict of the authenticator on {self._address}" if judging else f"{what} from {self._address}"
            raise trio.TooSlowError(f"no {what} within {limit}={timeout} s{why and ': '}{why}")
        self._begun += late + more


async def shake_hands(
    stream: NonblockingStream,
    protocol: zmtp.WireProtocol,
    limits: Patience,
    heard: Callable[[], None],
    judge: Callable[[zmtp.AuthenticationRequested], Awaitable[None]],
) -> None:
    """Make the handshake.

    Args:
      heard: called when the peer has said something.
      judge: has a verdict found on the peer; see `judge_peer`.
    Raises:
      DeniedError: the peer is not let in.
      trio.TooSlowError: the peer has had its time.
      RemoteProtocolError: it broke the protocol.
      HungUpError: it closed the connection.
      trio.BrokenResourceError, trio.ClosedResourceError: the connection is dead.
    """
    unsent: list[BytesLike] = []
    question: zmtp.AuthenticationRequested | None = None
    while True:
        with trio.CancelScope(deadline=limits.deadline(greeted=protocol.greeted)) as scope:
            while unsent or (data := protocol.data_to_send()):
                unsent = unsent or [data]
                taken = stream.send_nowait(unsent) or await stream.send_some(unsent)
                unsent = without(unsent, taken)
            if protocol.established:
                return
            if question is not None:
                await judge(question)
                question = None
            received = b"" if protocol.has_buffered else await _receive(stream, protocol)
            if received:
                heard()
            for event in protocol.receive_data(received, 1):
                if isinstance(event, zmtp.AuthenticationRequested):
                    question = event
                elif not isinstance(event, zmtp.HandshakeComplete):  # nobody is there to take it
                    raise TypeError(f"{protocol!r} gave out {event!r} before a HandshakeComplete")
        if scope.cancelled_caught:
            limits.is_over(resumable=not unsent, judging=question is not None, why=protocol.explain_silence())


async def _receive(stream: NonblockingStream, protocol: zmtp.WireProtocol) -> bytes:
    """What the peer says next."""
    while True:
        await stream.wait_receivable()
        received = try_receive(stream, _READ_SIZE)
        if received == b"":
            what = f"the peer closed the connection during the {'handshake' if protocol.greeted else 'greeting'}"
            raise HungUpError(what, protocol.explain_end())
        if received is not None:
            return received
