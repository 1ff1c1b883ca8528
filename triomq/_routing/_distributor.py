"""Send to every peer that wants it (RFC 29: PUB, XPUB; XSUB to every publisher)."""

from __future__ import annotations

from collections.abc import Iterable

from .. import zmtp
from .._message import Frames
from .._pipe import Pipe


class Distributor:
    """Sends one message to many pipes, encoding it once for all that can share the octets."""

    __slots__ = ()

    def send(self, message: Frames, pipes: list[Pipe]) -> int:
        """Queue the message for each of the pipes that has room; the others drop it, and count it.

        Returns: how many pipes dropped it.
        """
        if len(pipes) == 1:
            if pipes[0].send_nowait(message):
                return 0
            pipes[0].dropped += 1
            return 1
        shared: bytes | None = None
        dropped = 0
        for pipe in pipes:
            if not pipe.shares_encoding:
                accepted = pipe.send_nowait(message, False)
            else:
                if shared is None:
                    shared = zmtp.encode_shared(message)
                accepted = pipe.send_nowait(shared, False)
            if not accepted:
                pipe.dropped += 1
                dropped += 1
        return dropped

    def have_room(self, pipes: Iterable[Pipe]) -> bool:
        """Whether none of the pipes would drop; the owner of one that would is told when it has room."""
        return all([pipe.has_room() for pipe in pipes])
