"""What a context may have at one time: sockets, connections that came to it, bytes that wait to be received.

Theory of operation

All three are counted here and nowhere else, and only what is bounded is looked at. Whoever brings something in asks
first: a context before it makes a socket, an acceptor before it lets a connection in, an inbox before its connection is
read (see `triomq._pipes`). Whoever takes something out says so.

A context that is full of connections keeps nobody out by those that are no peers yet: any of its doors gives up one of
them for a newcomer at any other.
"""

from __future__ import annotations

import errno
import math
from typing import Protocol

import attrs

from .._options import bound


class Door(Protocol):
    """A bound endpoint that lets connections in."""

    def give_up_one(self, why: ConnectionError) -> bool:
        """End a connection that is no peer yet. Returns: False if there is none."""


@attrs.define(eq=False, repr=False, kw_only=True, on_setattr=attrs.setters.NO_OP)
class Bounds:
    """The limits of one context, and what counts against them; ``math.inf`` is no limit.

    Attributes:
      max_sockets: sockets that are open.
      max_peers: connections that came to bound endpoints.
      max_queued_bytes: bytes of messages that came over connections and wait to be received.
      sockets: how many are open.
      connections: how many came, and stand.
      bytes_waiting: how many wait; counted only where they are bounded.
      doors: the endpoints where connections come in.
    """

    max_sockets: float = attrs.field(default=math.inf, validator=bound("sockets"))
    max_peers: float = attrs.field(default=math.inf, validator=bound("connections"))
    max_queued_bytes: float = attrs.field(default=math.inf, validator=bound("bytes"))
    sockets: int = 0
    connections: int = 0
    bytes_waiting: int = 0
    doors: dict[Door, None] = attrs.field(factory=dict)

    def check_sockets(self, what: str) -> None:
        """Refuse one socket too many.

        Raises:
          OSError: with the errno EMFILE, as in libzmq.
        """
        if self.sockets >= self.max_sockets:
            raise OSError(
                errno.EMFILE,
                f"{what}: {self.sockets} sockets of this context are open, and max_sockets={self.max_sockets} are "
                "allowed; close those that are done with, or give open_context() a higher limit",
            )

    def let_in(self, door: Door) -> bool:
        """Whether one more connection may come in by a door; one that is no peer yet may have to make way for it."""
        if self.connections < self.max_peers:
            return True
        why = self.reached()
        return any(other.give_up_one(why) for other in (door, *self.doors))

    def reached(self) -> ConnectionError:
        """Why a connection is closed."""
        return ConnectionError(f"max_peers={self.max_peers} of the context reached: connection closed")

    @property
    def counts_bytes(self) -> bool:
        """The bytes that wait are bounded, and so they are counted."""
        return self.max_queued_bytes != math.inf
