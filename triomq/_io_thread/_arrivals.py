"""A peer that the I/O run has admitted, as the user's run hears of it: it comes, may have to wait here, and leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import trio

from .._connections import report_end
from .._events import Disconnected
from .._pipes import Received
from .._security import PeerProcess
from .._sockets import Peers
from ..zmtp import PeerInfo


@attrs.frozen
class Arrival:
    """A peer that was admitted, and what its pipe knows of it."""

    peer: PeerInfo
    endpoint: str
    address: str
    process: PeerProcess | None
    dialled: bool
    admissions: int


class Waiting:
    """A peer that waits here: a peer of another carrier has its place, of which the I/O run knows nothing.

    Args:
      again: lets it try again.

    Attributes:
      early: what has come from it meanwhile: items, and their bytes if these are counted.
    """

    __slots__ = ("_again", "_host", "early")

    def __init__(self, host: Peers, again: Callable[[], None]) -> None:
        self.early: list[tuple[Sequence[Received], int]] = []
        self._host = host
        self._again = again

    def wait(self) -> None:
        """Let it try again when a peer has left."""
        self._host.retries[self._again] = None

    def stop(self) -> None:
        """Let it try no more."""
        self._host.retries.pop(self._again, None)


def report_parting(host: Peers, event: Disconnected, *, had_place: bool) -> None:
    """Tell that a peer is gone; where it never had its place, that it has not become one."""
    error = event.error
    if error is None and not had_place:
        error = trio.BrokenResourceError("the peer left while another had its place")
    report_end(host, event.endpoint, event.address, error, event.retry_in, event.peer, was_up=had_place)
