"""Send to the peer the message names (RFC 28: ROUTER)."""

from __future__ import annotations

import random

from .._pipes import Pipe


def is_made_here(routing_id: bytes) -> bool:
    """Whether a `Directory` made the id for a peer that announced none."""
    return routing_id[:1] == b"\0"


class Directory:
    """Pipes by routing id.

    Ids the peers announce begin with any byte but zero; those made here begin with zero and continue
    with four bytes, counted from a random start, that no present peer has.
    """

    __slots__ = ("_next", "_pipes")

    def __init__(self, rng: random.Random) -> None:
        self._pipes: dict[bytes, Pipe] = {}
        self._next = rng.getrandbits(32)

    def get(self, routing_id: bytes) -> Pipe | None:
        """The pipe of that id."""
        return self._pipes.get(routing_id)

    def add(self, routing_id: bytes, pipe: Pipe) -> None:
        """Enter a pipe under an id, and no longer under another one; it replaces one of the same id."""
        self.remove(pipe)
        self._pipes[routing_id] = pipe
        pipe.routing_id = routing_id

    def remove(self, pipe: Pipe) -> None:
        """Strike out a pipe, if it is the one its id stands for."""
        if self._pipes.get(pipe.routing_id) is pipe:
            del self._pipes[pipe.routing_id]

    def new_id(self) -> bytes:
        """An id for a peer that announced none."""
        while True:
            self._next = (self._next + 1) & 0xFFFFFFFF
            routing_id = b"\0" + self._next.to_bytes(4, "big")
            if routing_id not in self._pipes:
                return routing_id
