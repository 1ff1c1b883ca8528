"""A socket's peers: the part of a socket that carriers talk to."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager

import attrs
import trio

from .. import _statistics
from .._connections import Gate
from .._errors import HandshakeRefusedError, PeerUnwantedError, RemoteProtocolError
from .._events import MonitorEvent
from .._options import Options
from .._patterns import Pattern
from .._pipes import UNCONNECTED, Pipe, PipeOwner
from .._runtime import Chores, Runtime, TaskGroup
from .._statistics import DropReason, Peer
from ..zmtp import PeerInfo
from ._monitors import Herald
from ._notes import Notes
from ._parting import PeerHold
from ._rows import Gone, peer_at, peer_statistics
from ._vacancies import Vacancies
from ._waiting import Watchers


class Peers:
    """The pipes of one socket, and who is at their other ends; the socket's `PeerHost`.

    Attributes:
      pipes: every pipe of the socket; the pattern has those of them that may be sent to.
      count: pipes whose peer is connected.
      gone: what was counted at pipes that are gone.
      ending_by: why the socket drops what is queued, once it is ``closing``.
      refusals: why the last attempt to connect failed, by endpoint, where the peer refuses this socket.
      retries: what to do when a peer leaves; see `PeerHost`.
      watchers: tasks that wait for a peer or a subscription to come or go, or for a queue to be sent.
    """

    __slots__ = (
        "_known", "_monitors", "_notes", "_pattern", "_vacancies", "closing", "count", "ending_by", "gate", "gone",
        "options", "owner", "pipes", "refusals", "retries", "runtime", "socket_type", "tasks", "wanted",
        "watchers",
    )  # fmt: skip

    def __init__(
        self, socket_type: str, options: Options, pattern: Pattern, runtime: Runtime, monitors: Herald, gate: Gate
    ) -> None:
        self.socket_type: str = socket_type
        self.options: Options = _with_room(options, pattern.frames_put_before)
        self.owner: PipeOwner = pattern
        self.wanted: tuple[type, ...] = pattern.wanted
        self.tasks: TaskGroup = TaskGroup(runtime.nursery, monitors.suffix)
        self.runtime: Runtime = runtime
        self.gate: Gate = gate
        self.closing: bool = False
        self.pipes: dict[Pipe, None] = {}
        self.count: int = 0
        self.gone: Gone = Gone()
        self.ending_by: DropReason = "cancelled"
        self.watchers: Watchers = Watchers()
        self.refusals: dict[str, Exception] = {}
        self.retries: dict[Callable[[], None], None] = {}
        self._pattern = pattern
        self._monitors = monitors
        self._vacancies: Vacancies | None = None  # once somebody has waited
        pattern.watchers = self.watchers
        pattern.chores = Chores(self.tasks)
        self._known = 0  # pipes so far
        self._notes = pattern.notes = Notes(self.tasks, monitors.emit)

    # --- what carriers tell -----------------------------------------------------------------

    @property
    def routing_id(self) -> bytes:
        """See `PeerHost`."""
        return self._pattern.routing_id

    def emit(self, event: MonitorEvent) -> None:
        """See `PeerHost`."""
        self._monitors.emit(event)

    def add_pipe(self, pipe: Pipe) -> None:
        """See `PeerHost`."""
        pattern = self._pattern
        self._known += 1
        pipe.number = self._known
        self.pipes[pipe] = None
        pattern.pipes[pipe] = None
        pattern.dropped_messages += pipe.dropped  # while the pipe had no owner
        pattern.added(pipe)

    def admit_peer(self, pipe: Pipe, peer: PeerInfo) -> None:
        """See `PeerHost`."""
        if self.closing and pipe not in self.pipes:
            raise PeerUnwantedError("the socket is being closed")
        name = pipe.routing_id
        pipe.peer = peer
        try:
            self._pattern.admit(pipe)
        except PeerUnwantedError:
            pipe.peer = None
            raise
        if pipe not in self.pipes:
            self.add_pipe(pipe)
        self.count += 1
        pipe.admissions += 1
        pipe.since = trio.current_time()
        pipe.last_peer = None
        pipe.hold = PeerHold(self, pipe)
        self._pattern.ready(pipe)
        self.watchers.wake()
        if name and name != pipe.routing_id:  # of the peer that was here before, and was expected back until now
            self._announce_vacancy((name,))

    def peer_left(self, pipe: Pipe) -> None:
        """See `PeerHost`."""
        names, dropped = _names(pipe), pipe.dropped
        if self._forget_peer(pipe):
            self._notes.forget(pipe)
            self._tell_dropped(pipe, dropped, "peer left")
            self._announce_vacancy(names)

    def peer_at(self, pipe: Pipe) -> Peer | None:
        """See `PeerHost`."""
        return peer_at(pipe)

    def heartbeat(self, pipe: Pipe) -> None:
        """See `PeerHost`."""
        self._monitors.heartbeat(pipe)

    def _tell_dropped(self, pipe: Pipe, before: int, reason: DropReason) -> None:
        """Tell what the pipe has dropped since its count was ``before``."""
        if pipe.dropped > before:
            self._notes.tell_dropped(pipe, pipe.dropped - before, reason)

    def _forget_peer(self, pipe: Pipe) -> bool:
        if pipe.peer is None:
            return False
        pipe.last_peer = peer_at(pipe)
        pipe.peer = None
        pipe.hold.release()
        pipe.hold = UNCONNECTED
        self.count -= 1
        self._pattern.lost(pipe)
        return True

    def remove_pipe(self, pipe: Pipe) -> None:
        """See `PeerHost`."""
        if not pipe.alive:
            return
        names, dropped = _names(pipe), pipe.dropped
        self._forget_peer(pipe)
        pipe.alive = False
        pipe.discard()
        if pipe in self.pipes:
            del self.pipes[pipe]
            self.gone.add(pipe)
        self._notes.forget(pipe)
        reason: DropReason = "disconnected" if pipe.draining else "peer left"
        self._tell_dropped(pipe, dropped, self.ending_by if self.closing else reason)
        self._take_from_pattern(pipe)
        if self.closing and pipe.inbox.queue:  # nobody can receive it, and it would count as waiting
            self._pattern.close()  # it may have come since that was called: the pattern is not to look for it
            pipe.inbox.queue.clear()
        pipe.let_go()
        self._announce_vacancy(names)

    def retire_pipe(self, pipe: Pipe) -> None:
        """Queue nothing more for the peer; what is queued still leaves."""
        names = _names(pipe)
        pipe.drain()
        self._take_from_pattern(pipe)
        self._announce_vacancy(names)

    def retire_accepted(self, endpoint: str, connected: Collection[Pipe | None]) -> None:
        """Retire the pipes that came through an endpoint that is bound no longer; not the ``connected`` ones."""
        for pipe in list(self._pattern.pipes):
            if pipe.endpoint == endpoint and pipe not in connected:
                self.retire_pipe(pipe)

    def restore_pipe(self, pipe: Pipe) -> None:
        """Undo `retire_pipe`."""
        pipe.draining = False
        self._pattern.pipes[pipe] = None
        self._pattern.added(pipe)

    def _take_from_pattern(self, pipe: Pipe) -> None:
        if pipe in self._pattern.pipes:
            del self._pattern.pipes[pipe]
            self._pattern.removed(pipe)

    def note_refusal(self, endpoint: str, error: Exception | None) -> None:
        """See `PeerHost`."""
        if error is None:
            self.refusals.pop(endpoint, None)
        else:
            self.refusals[endpoint] = error
            self.watchers.wake()

    def until_vacancy(self, routing_id: bytes, *, again: bool = False) -> AbstractContextManager[None]:
        """See `PeerHost`."""
        if self._vacancies is None:
            self._vacancies = Vacancies()
        return self._vacancies.until_one(routing_id, again=again)

    def _announce_vacancy(self, names: tuple[bytes, ...]) -> None:
        self.watchers.wake()
        for retry in list(self.retries):
            if self.retries.pop(retry, self) is None:  # no earlier one has taken it back
                retry()
        if self._vacancies is not None:
            self._vacancies.announce(names)

    def end(self) -> None:
        """The socket ends: no peer and no task stays."""
        self._notes.end()
        self.tasks.cancel(f"triomq: {self.socket_type} socket closed")
        for pipe in list(self.pipes):
            self.remove_pipe(pipe)

    def enough(self, n: int, bound: Collection[str], connected: Collection[str]) -> bool:
        """Whether so many peers are connected, or, with 0, none.

        Args:
          bound, connected: the endpoints of the socket.
        Raises:
          HandshakeRefusedError: there are fewer; peers refuse this socket, and nobody else can come.
        """
        if not n:
            return not self.count
        if self.count >= n:
            return True
        if self.refusals and not bound and len(connected) - len(self.refusals) < n:
            endpoint, error = next(iter(self.refusals.items()))
            why = error.reason if isinstance(error, RemoteProtocolError) else error
            text = f"{self.socket_type}.wait_peers: no connection to {endpoint}, and none is to be expected: {why}"
            raise HandshakeRefusedError(text, endpoint) from error
        return False

    # --- what can be seen -------------------------------------------------------------------

    def connected(self) -> tuple[Peer, ...]:
        """The peers that are connected now."""
        return tuple(peer for pipe in self.pipes if pipe.peer is not None and (peer := peer_at(pipe)) is not None)

    def statistics(self) -> tuple[_statistics.PeerStatistics, ...]:
        """One row for each pipe."""
        for pipe in self.pipes:
            pipe.catch_up()
        return tuple(map(peer_statistics, self.pipes))


def _with_room(options: Options, frames: int) -> Options:
    """The options with which carriers receive: with ``frames`` put before it, a message still has ``max_frames``.

    Otherwise a peer could end a program that sends on what it receives: `send` takes no message of more.
    """
    return attrs.evolve(options, max_frames=max(1, options.max_frames - frames)) if frames else options


def _names(pipe: Pipe) -> tuple[bytes, ...]:
    """What the peer calls itself, and what this socket calls it."""
    return (pipe.routing_id,) if pipe.peer is None else (pipe.peer.routing_id, pipe.routing_id)
