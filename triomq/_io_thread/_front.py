"""A socket of the user's run whose connections are another run's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import trio

from .._connections import PeerHost
from .._events import Disconnected, MonitorEvent
from .._patterns import Pattern
from .._sockets import Peers
from ._back import BackPeers, Stand
from ._back_link import BackLink
from ._front_link import FrontLink
from ._front_pipe import FrontPipe
from ._run import IoRun


class FrontSocket:
    """A socket of the user's run, for its connections.

    Args:
      sockets: of the context; this one is among them until it has ended.

    Attributes:
      host: the socket's peers.
      pattern: the socket's.
      io: the other run.
      back: the socket's peers there.
      ended: the last task of the socket's connections has.
      given_up: connected endpoints that are none any more, and of which the I/O run may tell still.
    """

    def __init__(self, host: Peers, io: IoRun, sockets: dict[PeerHost, FrontSocket]) -> None:
        pattern = host.owner
        assert isinstance(pattern, Pattern)
        self.host: Peers = host
        self.pattern: Pattern = pattern
        self.io: IoRun = io
        self.ended: trio.Event = trio.Event()
        self.given_up: Counter[str] = Counter()
        self.back: BackPeers = BackPeers(self, io, pattern)
        self._sockets = sockets
        self._held: list[Callable[[], object]] | None = None
        self._holds = 0
        pattern.begin_repeating(self._repeat)
        self._attending = host.tasks.start(self._attend, name="triomq end")

    async def _attend(self) -> None:
        """Wait for the end of the socket, and then for that of its connections."""
        io = self.io
        io.when_ended(self.ended.set)
        try:
            await trio.sleep_forever()
        finally:
            if io.tell(self.back.leave):
                with trio.CancelScope(shield=True):
                    await self.ended.wait()
            io.never_mind(self.ended.set)
            self.ended.set()
            if self._attending.cancel_called:  # the socket has ended, and not the whole context by a crash
                self._let_go()

    def _let_go(self) -> None:
        """Both halves refer to each other; nothing of the socket is kept alive by that."""
        self._sockets.pop(self.host, None)
        self.pattern.begin_repeating(_nobody_repeats)
        del self.host, self.pattern, self.back

    def _repeat(self, method: Callable[..., object], *arguments: object) -> None:
        """Have the double do what the pattern does, behind what was sent before."""
        for pipe in self.host.pipes:
            if isinstance(pipe, FrontPipe):
                pipe.hand_over()
        self.io.tell(partial(method, self.back.double, *arguments))

    def new_link(self) -> BackLink:
        """Two halves of a pipe that is yet to be made; called in either run."""
        back = BackLink(self.back)
        back.front = FrontLink(self, back)
        return back

    def no_link(self) -> BackLink:
        """In place of the other half, when that has ended: a half that no connection will ever have."""
        return BackLink(self.back)

    # --- what the I/O run posts -----------------------------------------------------------------------

    def take(self, call: Callable[[], object]) -> None:
        """Make a call that the I/O run has left; later, where a task here is to go on first."""
        if self.io.over or self.ended.is_set():
            return
        if self._held is not None:
            self._held.append(call)
        else:
            call()

    def hold(self) -> None:
        """An endpoint is bound, of which the task that binds is to tell first."""
        self._holds += 1
        if self._held is None:
            self._held = []

    def release(self) -> None:
        """It has told."""
        self._holds -= 1
        if self._held is not None and not self._holds:
            held, self._held = self._held, None
            for call in held:
                call()

    def has_given_up(self, endpoint: str) -> None:
        """Told: all was told of a connected endpoint that is none any more."""
        self.given_up -= Counter((endpoint,))

    def emit(self, event: MonitorEvent) -> None:
        """Told: something has happened."""
        stand = getattr(getattr(event, "peer", None), "_part", None)
        if isinstance(stand, Stand):
            link = stand.link.front
            peer: Any = link.peer()
            event = attrs.evolve(event, peer=peer)
            if isinstance(event, Disconnected):
                link.parted(event)
                return
        self.host.emit(event)


def _nobody_repeats(method: Callable[..., object], *arguments: object) -> None:
    """The socket has ended, and its double with it."""
