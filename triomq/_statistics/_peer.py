"""Who is at the other end of a connection, and why messages are dropped."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

DropReason: TypeAlias = Literal["full", "malformed", "cut off", "peer left", "disconnected", "linger", "cancelled"]
"""Why messages were dropped; `triomq.MessageDropped` explains each."""


@attrs.frozen(kw_only=True)
class Peer:
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
    """

    endpoint: str
    address: str
    socket_type: str
    routing_id: bytes
    since: float = 0.0
    number: int = 0
    metadata: dict[str, bytes] = attrs.field(factory=dict, hash=False)
