"""The whole exception tree.

Two families. Resource states are trio's own exceptions (`trio.ClosedResourceError`,
`trio.WouldBlock`, …). What only ØMQ can mean is a `ZmqError`; where trio has an exception
for the same situation, ours inherits from it too, so ``except trio.BrokenResourceError`` works.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import trio


class ZmqError(Exception):
    """Base of every error with a ØMQ meaning."""


class WrongStateError(ZmqError, RuntimeError):
    """The call does not fit the socket's state (libzmq: EFSM).

    A REQ socket sent twice without a reply in between, or a REP socket replied to nothing.
    """


class UnroutableError(ZmqError, trio.BrokenResourceError):
    """A ROUTER with ``router_mandatory`` knows no peer of that routing id (libzmq: EHOSTUNREACH).

    Attributes:
      routing_id: the first frame of the message that could not be sent.
    """

    def __init__(self, text: str, routing_id: bytes = b"") -> None:
        super().__init__(text)
        self.routing_id = routing_id


class EndpointError(ZmqError, ValueError):
    """An endpoint is malformed, or means nothing for this transport (libzmq: EINVAL)."""


class UnsupportedTransportError(EndpointError):
    """No transport is registered for the endpoint's scheme (libzmq: EPROTONOSUPPORT)."""


class AddressInUseError(ZmqError, OSError):
    """The endpoint already has a living owner (libzmq: EADDRINUSE)."""


class WrongThreadError(ZmqError, RuntimeError):
    """A socket was used outside the trio run that its context belongs to: in another thread, or in a forked process."""


class ProtocolError(ZmqError):
    """Base of the two ZMTP errors; never raised itself."""


class LocalProtocolError(ProtocolError):
    """This side asked `triomq.zmtp` for something the protocol does not allow."""


class RemoteProtocolError(ProtocolError):
    """The peer broke ZMTP.

    Never raised in a user's task: it is the ``error`` of a monitor event. `triomq.zmtp` raises it.

    Attributes:
      reason: what was wrong, in words.
      offset: position of the offending octet in what the peer sent on this connection, or None. The text names it.
    """

    def __init__(self, text: str, offset: int | None = None) -> None:
        super().__init__(text if offset is None else f"{text} (at octet {offset})")
        self.reason = text
        self.offset = offset


class MechanismMismatchError(RemoteProtocolError):
    """The peer wants another security mechanism than this side, or the same role in it. There is no negotiation.

    Attributes:
      theirs: the name that the peer sent.
      ours: the name of this side's mechanism.
    """

    def __init__(self, text: str, theirs: bytes = b"", ours: str = "", offset: int | None = None) -> None:
        super().__init__(text, offset)
        self.theirs = theirs
        self.ours = ours


class RefusedByPeerError(RemoteProtocolError):
    """The peer refused the handshake, or hung up later, with an ERROR command (RFC 37 §2.5); the text is its reason.

    Some refuse by hanging up without a word, and that counts as a refusal, too: a server of CURVE whose key is not
    ``server_key``, when it has done so three times in a row; and a libzmq that connects to a socket without a mechanism
    and wants one.

    Attributes:
      status: of a peer that did not let this side in: 300 for a temporary failure, 400 for a refusal, 500 for an error
        of its authenticator (RFC 27). None if it refused for another reason.
    """

    def __init__(self, text: str, offset: int | None = None, status: int | None = None) -> None:
        super().__init__(text, offset)
        self.status = status


class DeniedError(RemoteProtocolError):
    """This side did not let the peer in.

    Its credentials are wrong, the authenticator refused it, or ``accept_from`` does not name where it comes from.

    Attributes:
      status: 300 for a temporary failure, 400 for a refusal, 500 for an error of the authenticator (RFC 27).
    """

    def __init__(self, text: str, status: int = 400, offset: int | None = None) -> None:
        super().__init__(text, offset)
        self.status = status


class SilentPeerError(ZmqError, trio.TooSlowError):
    """The peer sent nothing for longer than heartbeats allow."""


class HandshakeRefusedError(ZmqError):
    """``wait_peers`` waits in vain: a peer does not let this socket in, or the two want different mechanisms.

    The socket tries again, after long waits; see the monitor events. Over ``inproc`` it tries again when another socket
    binds the name. The cause is why the last attempt failed.

    Attributes:
      endpoint: the endpoint that this socket is connected to.
    """

    def __init__(self, text: str, endpoint: str = "") -> None:
        super().__init__(text)
        self.endpoint = endpoint


class PeerUnwantedError(ZmqError):
    """The socket did not want a peer that is in order.

    It was a second peer of a PAIR, or its routing id is in use, or the program has called `Peer.disconnect`.
    """


class DecodeError(ZmqError, ValueError):
    """A message that was received over a `codec` does not decode; what the codec raised is the cause.

    Attributes:
      message: the message.
    """

    def __init__(self, text: str, message: tuple[bytes, ...] = ()) -> None:
        super().__init__(text)
        self.message = message


class InternalError(ZmqError):
    """A task of triomq crashed: a bug of ours, never a peer's doing. Please report it."""


@contextmanager
def cancellation_alone() -> Iterator[None]:
    """Let a cancellation come out alone where the program's own code was cancelled, and failed over that.

    Such code raises a group of both, if it has a nursery. The failure is dropped: what it failed at was given up.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        _, others = group.split(Exception)
        if others is None or others.subgroup(trio.Cancelled) is None:  # nothing was cancelled
            raise
        raise others from None
