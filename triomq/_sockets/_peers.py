"""A socket's peers: the part of a socket that carriers talk to."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager

from .._errors import PeerUnwantedError
from .._events import MonitorEvent
from .._options import Options
from .._patterns import Pattern
from .._pipes import Pipe, PipeOwner
from .._runtime import Chores, Runtime, TaskGroup
from .._statistics import Peer, PeerStatistics
from ..zmtp import PeerInfo
from ._monitors import Monitors
from ._vacancies import Vacancies
from ._waiting import Watchers


class Peers:
    """The pipes of one socket, and who is at their other ends; the socket's `PeerHost`.

    Attributes:
      pipes: every pipe of the socket; the pattern has those of them that may be sent to.
      count: pipes whose peer is connected.
      sent, received: messages of pipes that are gone.
      retries: what to do when a peer leaves; see `PeerHost`.
      watchers: tasks that wait for a peer or a subscription to come or go, or for a queue to be sent.
    """

    def __init__(
        self, socket_type: str, options: Options, pattern: Pattern, runtime: Runtime, monitors: Monitors
    ) -> None:
        self.socket_type: str = socket_type
        self.options: Options = options
        self.owner: PipeOwner = pattern
        self.wanted: tuple[type, ...] = pattern.wanted
        self.tasks: TaskGroup = TaskGroup(runtime.nursery)
        self.runtime: Runtime = runtime
        self.closing: bool = False
        self.pipes: dict[Pipe, None] = {}
        self.count: int = 0
        self.sent: int = 0
        self.received: int = 0
        self.watchers: Watchers = Watchers()
        self.retries: dict[Callable[[], None], None] = {}
        self._pattern = pattern
        self._monitors = monitors
        self._vacancies = Vacancies()
        pattern.watchers = self.watchers
        pattern.chores = Chores(self.tasks)

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
        self._pattern.ready(pipe)
        self.watchers.wake()
        if name and name != pipe.routing_id:  # of the peer that was here before, and was expected back until now
            self._announce_vacancy((name,))

    def peer_left(self, pipe: Pipe) -> None:
        """See `PeerHost`."""
        names = _names(pipe)
        if self._forget_peer(pipe):
            self._announce_vacancy(names)

    def _forget_peer(self, pipe: Pipe) -> bool:
        if pipe.peer is None:
            return False
        pipe.peer = None
        self.count -= 1
        self._pattern.lost(pipe)
        return True

    def remove_pipe(self, pipe: Pipe) -> None:
        """See `PeerHost`."""
        if not pipe.alive:
            return
        names = _names(pipe)
        self._forget_peer(pipe)
        pipe.alive = False
        pipe.discard()
        if pipe in self.pipes:
            del self.pipes[pipe]
            self.sent += pipe.sent
            self.received += pipe.received
        self._take_from_pattern(pipe)
        pipe.let_go()
        self._announce_vacancy(names)

    def retire_pipe(self, pipe: Pipe) -> None:
        """Queue nothing more for the peer; what is queued still leaves."""
        names = _names(pipe)
        pipe.draining = True
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

    def until_vacancy(self, routing_id: bytes, *, again: bool = False) -> AbstractContextManager[None]:
        """See `PeerHost`."""
        return self._vacancies.until_one(routing_id, again=again)

    def _announce_vacancy(self, names: tuple[bytes, ...]) -> None:
        self.watchers.wake()
        for retry in list(self.retries):
            if self.retries.pop(retry, self) is None:  # no earlier one has taken it back
                retry()
        self._vacancies.announce(names)

    # --- what can be seen -------------------------------------------------------------------

    def connected(self) -> tuple[Peer, ...]:
        """The peers that are connected now."""
        return tuple(
            Peer(
                endpoint=pipe.endpoint,
                address=pipe.address,
                socket_type=pipe.peer.socket_type,
                routing_id=_name(pipe),
                metadata=dict(pipe.peer.metadata),
            )
            for pipe in self.pipes
            if pipe.peer is not None
        )

    def statistics(self) -> tuple[PeerStatistics, ...]:
        """One row for each pipe."""
        return tuple(map(_peer_statistics, self.pipes))


def _names(pipe: Pipe) -> tuple[bytes, ...]:
    """What the peer calls itself, and what this socket calls it."""
    return (pipe.routing_id,) if pipe.peer is None else (pipe.peer.routing_id, pipe.routing_id)


def _name(pipe: Pipe) -> bytes:
    return pipe.routing_id or (b"" if pipe.peer is None else pipe.peer.routing_id)


def _peer_statistics(pipe: Pipe) -> PeerStatistics:
    return PeerStatistics(
        endpoint=pipe.endpoint,
        address=pipe.address if pipe.peer is not None else "",
        routing_id=_name(pipe),
        connected=pipe.peer is not None,
        messages_sent=pipe.sent,
        messages_received=pipe.received,
        messages_dropped=pipe.dropped,
        send_queue=pipe.messages_queued(),
        control_queue=pipe.controls_queued(),
        receive_queue=len(pipe.inbox.queue),
        send_hwm=pipe.send_capacity(),
        receive_hwm=pipe.inbox.limit,
    )
