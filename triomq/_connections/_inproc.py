"""inproc: two sockets of one context, pipe to pipe.

Theory of operation

No bytes, no session, no task: sending puts the message itself into the other side's inbox. The inbox's limit is both
sides' HWMs together (none if either has none), as in ØMQ.

A connection has a *near* pipe, which is the connecting socket's, and a *far* one. A connecting socket may come first.
Its messages then gather in the inbox of a far pipe that nobody owns. The socket that binds the name takes the far pipe
over; when the binding socket goes, the connecting one gathers again. It goes on gathering, too, while the binding
socket has no place for it, or is of a type that it does not talk to: the next one to bind the name may take it.

    connecting socket ── near ⇄ far (nobody's)              not joined: what is sent waits in far's inbox
    connecting socket ── near ⇄ far ── binding socket       joined
"""

from __future__ import annotations

import errno
from collections import deque

from .._errors import AddressInUseError, PeerUnwantedError, RemoteProtocolError
from .._events import Connected, Disconnected, HandshakeFailed, ListeningStopped
from .._pipes import NOBODY, InprocPipe
from .._security import own_process
from ..zmtp import explain_incompatible
from ._by_name import check_name, conflation, peer_info, succeeded, summed
from ._carrier import Binding, Carrier, Connecting, PeerHost, unadmitted


class InprocCarrier(Carrier):
    """The inproc names of one context: the sockets that have bound them, and those that wait for them."""

    def __init__(self) -> None:
        self._bindings: dict[str, InprocBinding] = {}
        self._waiting: dict[str, dict[InprocConnection, None]] = {}
        self._joining: set[str] = set()  # names; when two of one part again at once, that makes no place for a third

    async def bind(self, host: PeerHost, endpoint: str, address: str) -> InprocBinding:
        """Give a name to a socket.

        Raises:
          AddressInUseError: another socket of this context has it.
          EndpointError: it is too long.
        """
        check_name(address)
        if address in self._bindings:
            text = f"{endpoint} is bound already by another socket of this context"
            raise AddressInUseError(errno.EADDRINUSE, text)
        binding = self._bindings[address] = InprocBinding(self, host, endpoint, address)
        self.retry(address)
        return binding

    def connect(self, host: PeerHost, endpoint: str, address: str) -> InprocConnection:
        """Connect a socket to a name, whether or not it is bound yet.

        Raises:
          EndpointError: it is too long.
        """
        check_name(address)
        connection = InprocConnection(self, host, endpoint, address)
        self.wait(connection)
        self.retry(address)
        return connection

    def wait(self, connection: InprocConnection) -> None:
        """Let a connection wait for its name."""
        self._waiting.setdefault(connection.name, {})[connection] = None

    def retry(self, name: str) -> bool:
        """Join the connections that wait for a name with the socket that has bound it, if one has.

        Returns: False if the connections are being joined already: try again later.
        """
        if name in self._joining:
            return False
        binding = self._bindings.get(name)
        if binding is not None:
            self._joining.add(name)
            try:
                for connection in list(self._waiting.get(name, ())):
                    if connection.join(binding):
                        self.forget(connection)
            finally:
                self._joining.remove(name)
        return True

    def forget(self, connection: InprocConnection) -> None:
        """The connection waits no longer."""
        binding = self._bindings.get(connection.name)
        if binding is not None:
            binding.told.pop(connection, None)
        waiting = self._waiting.get(connection.name, {})
        waiting.pop(connection, None)
        if not waiting:
            self._waiting.pop(connection.name, None)

    def give_up_places(self, binding: InprocBinding) -> None:
        """A socket has no places at a name any more: who waited for one waits for whoever binds the name."""
        for connection in self._waiting.get(binding.name, ()):
            connection.stop_waiting_for(binding.host)

    def release(self, binding: InprocBinding) -> bool:
        """Free the name. Returns: whether the binding had it still."""
        had = self._bindings.get(binding.name) is binding
        if had:
            del self._bindings[binding.name]
        return had


class InprocBinding(Binding):
    """A name that a socket has bound.

    Attributes:
      connections: those that are joined.
      told: those that wait still, and know that this socket has no place for them, or is none for them.
    """

    def __init__(self, carrier: InprocCarrier, host: PeerHost, endpoint: str, name: str) -> None:
        self.host = host
        self.name = name
        self.connections: dict[InprocConnection, None] = {}
        self.told: dict[InprocConnection, None] = {}
        self._carrier = carrier
        self._endpoint = endpoint

    @property
    def endpoint(self) -> str:
        """See `Binding`."""
        return self._endpoint

    def stop(self) -> None:
        """See `Attachment`: the name is free as soon as it is given up."""
        for connection in self.told:
            connection.hope_again()
        self.told.clear()
        if self._carrier.release(self):
            self.host.emit(ListeningStopped(endpoint=self._endpoint))

    def stop_accepting(self) -> None:
        """See `Binding`."""
        self.stop()

    def close(self) -> None:
        """See `Attachment`."""
        self.stop()
        for connection in list(self.connections):
            connection.part()
        self._carrier.give_up_places(self)

    async def wait_closed(self) -> None:
        """See `Binding`: the name is free already."""


class InprocConnection(Connecting):
    """A socket's connection to a name."""

    def __init__(self, carrier: InprocCarrier, host: PeerHost, endpoint: str, name: str) -> None:
        self.name = name
        self._endpoint = endpoint
        self._carrier = carrier
        self._host = host
        self._binding: InprocBinding | None = None
        self._unwanted_by: tuple[PeerHost, ...] = ()  # the socket that has no place, and its peer if that waits too
        self._near = self._new_near()
        self._far = self._new_far()
        if not host.options.immediate:
            host.add_pipe(self._near)

    @property
    def pipe(self) -> InprocPipe | None:
        """See `Connecting`: with ``immediate`` there is a pipe only while there is a peer."""
        return None if self._host.options.immediate and self._binding is None else self._near

    def _new_near(self) -> InprocPipe:
        host = self._host
        near = InprocPipe(host.owner, self._endpoint, 0, conflate=host.options.conflate)
        near.dialled = True
        near.process = own_process()
        return near

    def _new_far(self) -> InprocPipe:
        """A far end of nobody's, that gathers what the near one sends, up to the near one's HWM."""
        options, near = self._host.options, self._near
        far = InprocPipe(NOBODY, self._endpoint, options.send_limit, conflate=options.conflate)
        far.other, near.other = near, far
        far.process = near.process
        far.joined, near.joined = True, False
        far.inbox.source, near.inbox.source = near, far
        far.reconnect = near.reconnect = self.part
        return far

    # --- joining --------------------------------------------------------------------------

    def join(self, binding: InprocBinding) -> bool:
        """Let the binding socket take over the far end.

        Returns: whether the connection stands; if not, it waits on.
        """
        reason = explain_incompatible(self._host.socket_type, binding.host.socket_type)
        if reason is not None:
            self._failed(binding, RemoteProtocolError(reason))
            return False
        self._agree_on_limits(binding.host)
        try:
            self._greet(binding.host)
        except PeerUnwantedError as exc:
            gathered = self._far.inbox.queue
            self._far = self._new_far()
            self._far.drop(self._far.inbox.put(list(gathered)))
            self._failed(binding, exc)
            self._wait_for_vacancy(binding.host)
            return False
        self._host.note_refusal(self._endpoint, None)
        self._stop_waiting()
        self._binding = binding
        binding.connections[self] = None
        self._hand_over(binding.host)
        return True

    def _wait_for_vacancy(self, theirs: PeerHost) -> None:
        self._stop_waiting()
        self._unwanted_by = (self._host, theirs)
        for host in self._unwanted_by:
            host.retries[self._retry] = None

    def stop_waiting_for(self, host: PeerHost) -> None:
        """Wait no longer for a place at this socket."""
        if host in self._unwanted_by:
            self._stop_waiting()

    def _stop_waiting(self) -> None:
        for host in self._unwanted_by:
            host.retries.pop(self._retry, None)
        self._unwanted_by = ()

    def _retry(self) -> None:
        """There may be a place now."""
        if not self._carrier.retry(self.name) and self._unwanted_by:
            self._wait_for_vacancy(self._unwanted_by[-1])

    def _agree_on_limits(self, theirs: PeerHost) -> None:
        """Give both inboxes the limit of a queue that stands for both sides' queues."""
        near, far, ours = self._near, self._far, self._host
        # A copy without a maximum: messages sent while the sides greet each other must not push out earlier ones.
        far.inbox.queue = deque(far.inbox.queue)
        waiting = list(near.inbox.queue)
        near.inbox.renew_queue(*conflation(theirs.options, ours.options))
        near.plain = not ours.owner.interprets and not near.inbox.conflates
        near.drop(near.inbox.put(waiting))
        # Both waited by the old limits; `room_made` in `_hand_over` wakes whoever waits for room.
        far.inbox.source_waits = near.inbox.source_waits = False
        far.inbox.limit = summed(ours.options.send_limit, theirs.options.receive_limit)
        near.inbox.limit = summed(theirs.options.send_limit, ours.options.receive_limit)

    def _greet(self, theirs: PeerHost) -> None:
        """Let each socket admit the other.

        Raises:
          PeerUnwantedError: one of them does not; then neither has a new peer.
        """
        ours, near, far = self._host, self._near, self._far
        # What the binding socket says at once waits until the other one knows who says it. A task that waits to send
        # would have its message taken for a peer that may be unwanted: so there is no room.
        early = far.other = InprocPipe(NOBODY, self._endpoint, 0, conflate=False)
        theirs.admit_peer(far, peer_info(ours))
        try:
            ours.admit_peer(near, peer_info(theirs))
        except PeerUnwantedError:
            theirs.remove_pipe(far)
            raise
        far.other = near
        if early.inbox.queue:
            near.deliver(list(early.inbox.queue))

    def _hand_over(self, theirs: PeerHost) -> None:
        """The binding socket gets what was gathered, and what is sent from now on."""
        near, far, ours = self._near, self._far, self._host
        gathered = list(far.inbox.queue)
        far.inbox.renew_queue(*conflation(ours.options, theirs.options))
        far.owner = theirs.owner
        far.plain = not theirs.owner.interprets and not far.inbox.conflates
        far.received = 0  # nobody has received these yet; `deliver` counts them
        far.hwm_reached = 0  # that was before the peer was there
        near.joined = True
        near.sent += sum(isinstance(item, tuple) for item in gathered)
        for host, pipe, peer in ((ours, near, theirs), (theirs, far, ours)):
            host.emit(Connected(endpoint=self._endpoint, address=self._endpoint))
            host.emit(succeeded(self._endpoint, peer_info(peer), host.peer_at(pipe)))
        if gathered:
            far.deliver(gathered)
        near.room_made()
        far.room_made()

    def _failed(self, binding: InprocBinding, error: Exception) -> None:
        """Tell both, once."""
        if self in binding.told:
            return
        binding.told[self] = None
        endpoint = self._endpoint
        waits = isinstance(error, PeerUnwantedError)
        self._host.note_refusal(endpoint, None if waits else error)
        for host, theirs in ((self._host, binding.host), (binding.host, self._host)):
            # As over other transports, nobody knows who the others are.
            peer = unadmitted(peer_info(theirs), endpoint, endpoint) if waits else None
            host.emit(HandshakeFailed(endpoint=endpoint, address=endpoint, error=error, peer=peer))

    def hope_again(self) -> None:
        """The binding socket that was none for this one gives up the name: another one may bind it."""
        self._host.note_refusal(self._endpoint, None)

    # --- parting --------------------------------------------------------------------------

    def _split(self, error: Exception | None = None) -> InprocBinding | None:
        binding, self._binding = self._binding, None
        if binding is not None:
            del binding.connections[self]
            endpoint = self._endpoint
            for host, pipe in ((self._host, self._near), (binding.host, self._far)):
                host.emit(Disconnected(endpoint=endpoint, address=endpoint, error=error, peer=host.peer_at(pipe)))
            binding.host.remove_pipe(self._far)
            self._host.peer_left(self._near)
        return binding

    def part(self, error: Exception | None = None) -> None:
        """The binding socket goes, or one of the two wants a new connection: gather again, for who binds the name."""
        self._split(error)
        immediate = self._host.options.immediate
        if immediate:  # nothing is queued for a peer to come
            self._host.remove_pipe(self._near)
            self._near = self._new_near()
        self._far = self._new_far()
        self._carrier.wait(self)
        self._carrier.retry(self.name)
        if not immediate:
            self._near.room_made()

    def close(self) -> None:
        """See `Attachment`. What was sent stays with the receiver."""
        self._carrier.forget(self)
        self._stop_waiting()
        self._host.note_refusal(self._endpoint, None)
        binding = self._split()
        self._host.remove_pipe(self._near)
        self._far.let_go()
        if binding is not None:
            self._carrier.retry(self.name)
