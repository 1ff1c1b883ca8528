"""A connection that the program ends by its own choice: `Peer.disconnect`.

Theory of operation

A `Peer` tells of one connection, and may be kept for as long as the program likes. So it has no more than a `PeerHold`
on that connection, which grips nothing any more when the connection has ended.

A peer that this side dials is dialled again, and what is queued waits for the next connection. A peer that came to this
side gets what is queued for it, for up to ``linger``, as with `Socket.disconnect`; then the connection ends in good
order, so that nothing that was written is lost with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._errors import PeerUnwantedError
from .._pipes import Pipe
from .._runtime import within

if TYPE_CHECKING:
    from ._peers import Peers


class PeerHold:
    """See `triomq._pipes.Hold`."""

    __slots__ = ("_peers", "_pipe")

    def __init__(self, peers: Peers, pipe: Pipe) -> None:
        self._peers: Peers | None = peers
        self._pipe: Pipe | None = pipe

    def end(self) -> None:
        """End the connection, if it has not ended."""
        if self._peers is not None and self._pipe is not None:
            _part_from(self._peers, self._pipe)

    def release(self) -> None:
        """The connection has ended."""
        self._peers = self._pipe = None


def _part_from(peers: Peers, pipe: Pipe) -> None:
    """End the connection of the peer at a pipe, because the program wants it."""
    peers.runtime.check_thread("Peer.disconnect")
    if pipe.draining:
        return  # it is being ended already
    error = PeerUnwantedError(f"this program has disconnected {pipe.address}")
    if pipe.dialled:
        pipe.inbox.source.renew(error)
        return
    peers.retire_pipe(pipe)

    async def let_it_leave() -> None:
        while pipe.alive and pipe.queued():
            await peers.watchers.wait()
        pipe.inbox.source.say_goodbye(error)
        while pipe.alive:
            await peers.watchers.wait()

    async def finish() -> None:
        try:
            await within(peers.options.linger, let_it_leave)
        finally:
            pipe.inbox.source.renew(error)

    if peers.options.linger:
        peers.tasks.start(finish, name=f"triomq disconnecting {pipe.address}")
    else:
        pipe.inbox.source.renew(error)
