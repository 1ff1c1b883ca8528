"""Who is at the other end of a connection, and why messages are dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Self, TypeAlias

import attrs

from .. import _security
from .._record import Record


def _nothing() -> None:
    """This peer was never admitted, or somebody else than a socket made it."""


DropReason: TypeAlias = Literal[
    "full", "malformed", "lost", "cut off", "unroutable", "peer left", "disconnected", "linger", "cancelled"
]
"""Why messages were dropped; `triomq.MessageDropped` explains each."""


class _Held(Record):
    """What a peer has beside what it tells: no field, so that `attrs.asdict` gives out nothing but facts."""

    __slots__ = ("_part",)

    def _hold(self, part: Callable[[], None]) -> Self:
        """Let `Peer.disconnect` call this. Returns: the peer."""
        object.__setattr__(self, "_part", part)
        return self


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Peer(_Held):
    """A connected peer. Two of them are equal if they are the same connection to the same peer.

    Attributes:
      endpoint: the endpoint of ours, bound or connected, that it came through.
      address: the other end, as the transport tells it; the endpoint itself for inproc.
      socket_type: its type, such as ``"SUB"``.
      routing_id: the name it announced or, on a ROUTER, was given; ``b""`` if none.
      since: trio's time at which this socket admitted it; of one that waits for its place, when it came.
      number: which of the socket's peers it is, counted from 1; a peer that is connected to keeps its number over
        reconnections. 0 for one that was not admitted.
      metadata: every property of its READY, as it wrote them.
      user_id: who it is, as this side's authenticator says; ``""`` if nobody said.
      user_metadata: what else the authenticator says of it.
      process: at the other end of ``ipc``, as the kernel knows it, or of inproc, which is this one; None for other
        transports, and for systems other than Linux.
    """

    endpoint: str
    address: str
    socket_type: str
    routing_id: bytes
    since: float = 0.0
    number: int = 0
    metadata: dict[str, bytes] = attrs.field(factory=dict, hash=False)
    user_id: str = ""
    user_metadata: dict[str, bytes] = attrs.field(factory=dict, hash=False)
    process: _security.PeerProcess | None = None

    def disconnect(self) -> None:
        """End this connection, by this program's choice; do nothing if it has ended already.

        A peer that came to a bound endpoint is sent nothing new from now on. What is queued for it still leaves, for up
        to ``linger``; then the connection ends, and what is left is dropped. What had arrived is still received. A peer
        at a connected endpoint is connected to again after the usual wait, and what is queued waits for that: to be
        rid of it, use `Socket.disconnect`.

        The `Disconnected` event has a `PeerUnwantedError`. The peer is not told, and comes back if it is the one that
        connects.

        Raises:
          WrongThreadError: this is another thread, another trio run, or a forked process.
        """
        getattr(self, "_part", _nothing)()
