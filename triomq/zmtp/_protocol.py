"""What a session asks of a wire protocol, so that a protocol with a framing of its own can take ZMTP's place."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from .._errors import LocalProtocolError
from .._message import Frames, Message, to_message
from ._events import Event, PeerInfo
from ._frames import Item

Events: TypeAlias = list[Message | Event]
PlainEvents: TypeAlias = list[tuple[bytes, ...] | Event]


def to_event(plain: Frames | Event) -> Message | Event:
    """Make a `Message` of the frames of one; any other event stays as it is."""
    return to_message(plain) if isinstance(plain, tuple) else plain


class WireProtocol(ABC):
    """One side of one connection: bytes of the peer become events, messages become bytes for the peer.

    `Connection` is the one for ZMTP. Another framing, such as that of ZWS (RFC 45: no greeting, one byte of
    flags, and the rest of the header is WebSocket's), is another subclass.

    **What every protocol must hold**

    * It does no input and output, has no clock, and never waits. One thread at a time calls it.
    * Whatever the peer sends becomes events or a `RemoteProtocolError`. Any other exception counts as a bug.
    * It takes memory for what has arrived, never for what a header claims. Limits such as
      ``max_message_size`` are checked by the protocol, when the header is there, and by nobody else.
    * The session notices the end of the peer's stream by itself; the protocol is not told.

    **Life.** The session sends `data_to_send` and feeds `receive_data` until ``established``. From then on it
    also calls `encode`. The first event of all is `HandshakeComplete`, by the call that sets ``peer`` and
    ``established``: the session asks for one event at a time until then, so what lies behind stays buffered. A
    protocol without a handshake sets both in its constructor, and has no such event.

    **Verdicts.** Before that, a protocol may return an `AuthenticationRequested`. Then the session calls `accept` or
    `deny`. Until then the protocol processes nothing, even if it is fed more; the session feeds it little.

    **Heartbeats.** When `receive_data` returned a `Ping`, the session takes the answer from `data_to_send`. A
    protocol reports whatever it must answer, such as a ping of WebSocket, as a `Ping`. The session sends `Ping`
    and `Pong` only to a peer whose ``version`` is ``(3, 1)`` or later.

    The attributes are read for every message: plain attributes, or slots, are right, properties cost.

    Attributes:
      peer: who the peer is; None until ``established``.
      greeted: the peer's greeting is complete. The session gives a peer less time for its greeting than for the whole
        handshake. A protocol without a greeting leaves this True.
      established: messages may be sent and received. True from the end of the handshake to the first fault:
        with a fault `receive_data` takes this back at once, though it raises the fault later.
      has_buffered: the last `receive_data` stopped before it had used up its input. The session calls
        ``receive_data(b"", limit)`` until this is False, and mostly reads no more before that.
      messages_only: everything that the last `receive_data` returned is a message. False is always
        allowed, and makes the session look at each event.
      between_messages: no part of a frame has been received, so that `receive_hint` is 0. False is always
        allowed, and makes the session ask `receive_hint` before each read.
      shares_encoding: `encode` takes the `bytes` that `encode_shared` made, and a session may send those that
        `encode_alone` made without asking. That is ZMTP's framing, so a protocol with another framing, or with frames
        that are encrypted, sets this to False.
    """

    __slots__ = ()

    peer: PeerInfo | None
    established: bool
    has_buffered: bool
    messages_only: bool
    between_messages: bool
    shares_encoding: bool
    greeted: bool = True

    @abstractmethod
    def data_to_send(self) -> bytes:
        """What the protocol itself has to send now; each byte is returned once.

        That is a greeting, the commands of a handshake, the answer to a ping, or the reason for a fault. It must
        go out before what `encode` returns later, and after what `encode` returned earlier.
        """

    @abstractmethod
    def encode(self, messages: Sequence[Item], out: list[bytes], ends: list[int] | None = None) -> int:
        """Append the bytes of each item, in order, to ``out``.

        Each item is encoded once only, unless ``shares_encoding``: then the session may encode an item a second time,
        to learn its size, and throw the result away.

        Args:
          messages: a `Message` or tuple of frames; `bytes` that `encode_shared` made, if ``shares_encoding``;
            `Subscribe` or `Cancel`, which become what this peer's version of the protocol takes; or `Ping` or
            `Pong`.
          out: may hold buffers already, which stay as they are.
          ends: gets, for each item, how many bytes the items up to and with this one take, if it is given.
        Returns: how many bytes were appended.
        Raises:
          LocalProtocolError: the connection is not established, or an item cannot be sent.
        """

    @abstractmethod
    def receive_data(self, data: bytes, limit: int = sys.maxsize) -> Events:
        """Take bytes of the peer; return what they mean, in order.

        What lies behind the ``limit`` stays buffered. More may be fed while something is buffered: it comes
        behind. With a limit, a call takes a fraction of a millisecond: it may stop earlier, even without an event,
        when its input is much work.

        Args:
          data: what was received; ``b""`` only goes on with what is buffered (see ``has_buffered``).
          limit: most events to return; may be 0.
        Raises:
          RemoteProtocolError: the peer broke the protocol. The events before the fault come first: if there are
            any, this call returns them, ``has_buffered`` is True, and the next call raises. The fault is raised
            once; `data_to_send` may then hold the reason, for the peer.
          RefusedByPeerError: the peer refused the handshake.
          LocalProtocolError: the fault has been raised already.
        """

    def receive_plain(self, data: bytes, limit: int = sys.maxsize) -> PlainEvents:
        """As `receive_data`, but a message may be the plain tuple of its frames. The session calls this.

        A `Message` is made when the user receives it. A protocol that makes each `Message` itself need not have this.
        """
        return [*self.receive_data(data, limit)]

    def receive_lone(self, data: bytes) -> tuple[bytes, ...] | None:
        """Take a message that comes by itself, by a short way.

        The session asks this first. A protocol without such a way is right, too.

        Args:
          data: what was received, all of it.
        Returns: the message, if it is all of the data, and nothing of the peer's waits before it; if not, None, and
          nothing was taken: the session gives the data to `receive_plain`.
        """
        return None

    @abstractmethod
    def receive_hint(self) -> int:
        """Bytes still missing of the frame that is being received; 0 when that is not known.

        Asked only while ``has_buffered`` is False. The session reads the rest of a large frame by itself, so that
        it comes in one piece and need not be copied. A protocol that always returns 0 is right, too.
        """

    def accept(self, user_id: str = "", user_metadata: Mapping[str, bytes] | None = None) -> None:
        """Let the peer in that an `AuthenticationRequested` was about: the handshake goes on.

        Call ``receive_data(b"", 1)`` next, as something may be buffered. A protocol that never asks has nothing to do.

        Args:
          user_id: for ``peer.user_id``.
          user_metadata: for ``peer.user_metadata``.
        Raises:
          LocalProtocolError: nothing was asked.
        """
        raise LocalProtocolError("nothing was asked")

    def deny(self, status: int, text: str) -> None:
        """Refuse the peer that an `AuthenticationRequested` was about: `data_to_send` has what the peer is told.

        The connection is over: `receive_data` raises `DeniedError` next.

        Args:
          status: 300, 400 or 500 (RFC 27). The peer is told the number, and for 300 nothing.
          text: why, for the error.
        Raises:
          LocalProtocolError: nothing was asked.
        """
        raise LocalProtocolError("nothing was asked")

    def greet_in_pieces(self) -> None:
        """Tell the mechanism only when the peer has told its version; called before everything else.

        A libzmq that wants another mechanism hangs up when it is told ours, and mostly has not told its own by then. So
        this is for a mechanism that peers may not have, and for the connection after one that ended in the greeting. It
        takes a round trip more, unless the peer greets at once. A protocol without such a greeting does nothing.
        """
        return

    def explain_end(self) -> str:
        """Why the peer hung up at this point of the handshake, without a word, if that is how such peers refuse.

        A peer may hang up for other reasons, too. So a side that connects takes it for a refusal when it has happened
        three times in a row.

        Returns: what the peer probably is, and what to do; an empty text if such peers do not refuse so.
        """
        return ""

    def explain_silence(self) -> str:
        """Why the peer has said nothing at this point of the handshake until its time was up, if such peers do that.

        Returns: what the peer probably is, and what to do; an empty text if nothing is known of such peers.
        """
        return ""

    @property
    def last_error(self) -> str:
        """Why the peer, once established, is about to hang up, in its own words; empty if it has said nothing of that.

        Asked when the peer has hung up. A protocol without such a command has nothing to tell.
        """
        return ""

    def refuse(self, reason: str) -> None:
        """Queue the reason why this side is about to end the connection, for `data_to_send` to return.

        A protocol without such a command does nothing.
        """
        return
