"""A socket's peers as the I/O run has them: what a peer would notice is answered here."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from .._connections import Attachment, Gate, StreamCarrier
from .._events import HandshakeSucceeded, MonitorEvent
from .._patterns import Pattern
from .._pipes import Pipe, QueuedPipe
from .._runtime import TaskGroup
from .._security import Accept, AuthenticationRequest, Deny
from .._sockets import Peers
from .._statistics import DropReason, Peer
from ..zmtp import PeerInfo
from ._arrivals import Arrival
from ._back_link import BackLink, BackOutbox

if TYPE_CHECKING:
    from ._front import FrontSocket
    from ._run import IoRun


class Stand:
    """Stands, in an event that goes over, for the connection of a peer."""

    __slots__ = ("link",)

    def __init__(self, link: BackLink) -> None:
        self.link = link

    def __call__(self) -> None:
        """The user's run puts its own peer in place of this one."""


class BackGate(Gate):
    """Has the authenticator asked in the user's run, whose function that is."""

    def __init__(self, front: FrontSocket) -> None:
        super().__init__()
        self._front = front

    @property
    def asks(self) -> bool:
        """See `Gate`."""
        return self._front.host.gate.asks

    async def judge(self, request: AuthenticationRequest) -> Accept | Deny:
        """See `Gate`."""
        host = self._front.host
        return await self._front.io.ask(host.tasks, partial(host.gate.judge, request))


class Courier:
    """Brings the user's run what the connections of one socket tell; a `Herald`."""

    __slots__ = ("_front", "_io", "suffix")

    def __init__(self, front: FrontSocket, io: IoRun) -> None:
        self._front = front
        self._io = io
        self.suffix: str = front.host.tasks.suffix

    def post(self, call: Callable[[], object]) -> None:
        """Leave a call for the user's run, about this socket."""
        self._io.post(partial(self._front.take, call))

    def emit(self, event: MonitorEvent) -> None:
        """See `Herald`; of a peer that was admitted tells who admits it in the user's run."""
        if not isinstance(event, HandshakeSucceeded):
            self.post(partial(self._front.emit, event))

    def heartbeat(self, pipe: Pipe) -> None:
        """See `Herald`; the user's half of the pipe tells it."""


class BackPeers(Peers):
    """The host of a socket's connections in the I/O run.

    It has a *double* of the socket's pattern. The double knows what peers are told and asked: who is admitted, which
    topics are subscribed to, who gets a probe. So a peer that comes, or comes back, need not wait for the user's run.
    The double takes no message. What the user says that peers are told, `Pattern.repeat` tells the double.

    Attributes:
      double: of the socket's pattern.
      post: leaves a call for the user's run, about this socket.
      expected: the link of the pipe that is about to be added; None for a peer that nobody expects.
    """

    def __init__(self, front: FrontSocket, io: IoRun, pattern: Pattern) -> None:
        runtime = io.runtime
        self.io: IoRun = io
        self._front = front
        self._links: dict[Pipe, BackLink] = {}
        self.expected: BackLink | None = None
        self.double: Pattern = type(pattern)(front.host.options, random.Random(0), runtime.turn)
        self._courier = Courier(front, io)
        self.post: Callable[[Callable[[], object]], None] = self._courier.post
        gate = BackGate(front)
        super().__init__(front.host.socket_type, front.host.options, self.double, runtime, self._courier, gate)
        self.options = front.host.options  # the room for frames that a pattern puts before is taken off already

    # --- what connections tell --------------------------------------------------------------------

    @property
    def routing_id(self) -> bytes:
        """See `PeerHost`."""
        return self._front.pattern.routing_id

    def add_pipe(self, pipe: Pipe) -> None:
        """See `PeerHost`."""
        self._link(pipe)
        super().add_pipe(pipe)

    def admit_peer(self, pipe: Pipe, peer: PeerInfo) -> None:
        """See `PeerHost`; the user's run hears of it, and has no say."""
        known = pipe in self._links
        link = self._link(pipe)
        link.greetings += self.options.probe_router  # before it leaves: else there would seem to be room for one more
        try:
            super().admit_peer(pipe, peer)
        except BaseException:
            link.greetings -= self.options.probe_router
            if not known:
                del self._links[pipe]
            raise
        who = Arrival(peer, pipe.endpoint, pipe.address, pipe.process, pipe.dialled, pipe.admissions)
        self.post(partial(link.front.arrived, who))

    def _link(self, pipe: Pipe) -> BackLink:
        link = self._links.get(pipe)
        if link is None:
            link, self.expected = self.expected, None
            if link is None:
                link = self._front.new_link()
            assert isinstance(pipe, QueuedPipe)
            self._links[pipe] = link
            link.take_pipe(pipe)
        return link

    def peer_left(self, pipe: Pipe) -> None:
        """See `PeerHost`."""
        if pipe.peer is None:
            return
        link = self._links[pipe]
        link.front.drops_told = True  # of what is dropped now, `lost` tells
        super().peer_left(pipe)
        link.ended()
        self.post(partial(link.front.lost, pipe.sent, link.gone()))

    def remove_pipe(self, pipe: Pipe) -> None:
        """See `PeerHost`."""
        link = self._links.pop(pipe, None)
        if link is None:
            return
        link.front.drops_told = True  # likewise `removed`
        super().remove_pipe(pipe)
        link.ended()
        self.post(partial(link.front.removed, pipe.sent, link.gone()))

    def peer_at(self, pipe: Pipe) -> Peer | None:
        """See `PeerHost`."""
        peer = super().peer_at(pipe)
        outbox = pipe.outbox if isinstance(pipe, QueuedPipe) else None
        return peer._hold(Stand(outbox.link)) if peer is not None and isinstance(outbox, BackOutbox) else peer

    def note_refusal(self, endpoint: str, error: Exception | None) -> None:
        """See `PeerHost`."""
        if error is not None or endpoint in self.refusals:
            super().note_refusal(endpoint, error)
            self.post(partial(self._front.host.note_refusal, endpoint, error))

    def heartbeat(self, pipe: Pipe) -> None:
        """See `PeerHost`."""
        self.post(partial(self._links[pipe].front.beat, pipe.round_trip))

    def _tell_dropped(self, pipe: Pipe, before: int, reason: DropReason) -> None:
        """The user's half of the pipe tells it."""

    # --- what the user's run tells ------------------------------------------------------------------

    async def bind(self, carrier: StreamCarrier, endpoint: str, address: str) -> BackEndpoint:
        """Accept peers; see `Carrier.bind`."""
        made = BackEndpoint(self)
        made.attachment = await carrier.bind(self, endpoint, address)
        return made

    def leave(self) -> None:
        """Told: the socket has ended; the user's run is told when the last task has."""
        self.closing = True
        self.end()

        async def tell() -> None:
            await self.tasks.wait_ended()
            self.post(self._front.ended.set)

        self.runtime.nursery.start_soon(tell, name=f"triomq end{self._courier.suffix}")


class BackEndpoint:
    """One endpoint of a socket, as the I/O run has it.

    Attributes:
      attachment: there is one from when it was connected or bound.
    """

    def __init__(self, peers: BackPeers) -> None:
        self.attachment: Attachment | None = None
        self._peers = peers

    @property
    def tasks(self) -> TaskGroup:
        """Of the socket."""
        return self._peers.tasks

    def connect(self, carrier: StreamCarrier, endpoint: str, address: str, link: BackLink | None) -> None:
        """Told: connect."""
        self._peers.expected = link
        self.attachment = carrier.dial(self._peers, endpoint, address)
        self._peers.expected = None

    def stop(self) -> None:
        """Told: the socket is closing."""
        self._peers.closing = True
        self._made.stop()

    def finish(self, done: Callable[[], None]) -> None:
        """Told: end the connections in good order, and call ``done`` in the user's run."""
        peers, attachment = self._peers, self._made

        async def finish() -> None:
            while any(pipe.queued() for pipe in peers.pipes):
                await peers.watchers.wait()
            attachment.finish()
            while not attachment.finished:
                await peers.watchers.wait()
            peers.post(done)

        for pipe in peers.pipes:
            pipe.drain()
        peers.tasks.start(finish, name="triomq finishing")

    def close(self) -> None:
        """Told: end the endpoint and its connections."""
        self._made.close()

    def give_up(self, done: Callable[[], None]) -> None:
        """Told: end the endpoint and its connection, and call ``done`` in the user's run."""
        self.close()
        self._peers.post(done)

    @property
    def _made(self) -> Attachment:
        assert self.attachment is not None
        return self.attachment
