"""inproc: two sockets of one context, pipe to pipe.

No bytes, no session, no task: sending puts the message itself into the other side's inbox, whose limit is both
sides' HWMs together (none if either has none), as in ØMQ.

A connecting socket may come first. Its messages then gather in the inbox of a far pipe that nobody owns yet, and
whoever binds the name takes that pipe over; when the binding socket goes, the connecting one is in this state again.
"""

from __future__ import annotations

import errno
import math
from collections import deque
from typing import Any, ClassVar, Protocol

from .._errors import AddressInUseError, EndpointError, PeerUnwantedError, RemoteProtocolError
from .._events import Disconnected, HandshakeFailed, HandshakeSucceeded, MonitorHub
from .._message import Message, new_message
from .._options import Options
from .._pipes import NOBODY, Event, Pipe, remove_same
from ..zmtp import PeerInfo
from ..zmtp._compatibility import explain_incompatible

_LONGEST_NAME = 256


class InprocSocket(Protocol):
    """What inproc asks of a socket: that of a pipe's owner, and to be told of the connection's life."""

    socket_type: ClassVar[str]
    _session_events: tuple[type, ...]
    _interprets: bool
    _options: Options
    _monitors: MonitorHub

    def _interpret(self, pipe: Pipe, events: list[Event]) -> list[Message]: ...
    def _pipe_readable(self, pipe: Pipe) -> None: ...
    def _pipe_writable(self, pipe: Pipe) -> None: ...
    def _pipe_drained(self, pipe: Pipe) -> None: ...
    def _add(self, pipe: Pipe) -> None: ...
    def _remove(self, pipe: Pipe) -> None: ...
    def _greet(self, pipe: Pipe, peer: PeerInfo) -> None: ...
    def _forget_peer(self, pipe: Pipe) -> None: ...


class InprocPipe(Pipe):
    """One end of an inproc connection; what it sends goes into the inbox of the ``other``."""

    __slots__ = ("joined", "other", "plain")

    joined: bool
    """Whether ``other`` belongs to a socket, or did: what was sent is that socket's."""
    plain: bool
    """Whether what arrives here goes into the inbox as it is: worked out once, and not for every message."""
    blocked: bool
    dropped: int
    sent: int
    other: InprocPipe

    # On the path of every message.
    def send_nowait(self, item: Any, at_once: bool = True) -> bool:
        other = self.other
        inbox = other.inbox
        if len(inbox) >= other.receive_limit:
            other.stalled = self.blocked = True
            return False
        self.sent += self.joined
        if type(item) is tuple:
            item = new_message(Message, item)
        if other.plain:
            inbox.append(item)
            other.received += 1
            if not other.listed:
                other.owner._pipe_readable(other)
        else:
            other.deliver([item])
        return True

    def has_room(self) -> bool:
        other = self.other
        if len(other.inbox) >= other.receive_limit:
            other.stalled = self.blocked = True
            return False
        return True

    def room(self) -> float:
        return self.other.receive_limit - len(self.other.inbox)

    def room_made(self) -> None:
        """The other side has taken a message from its full inbox."""
        self.blocked = False
        self.owner._pipe_writable(self)

    def control(self, event: Event) -> None:
        if self.peer is not None:
            self.other.deliver([event])

    def withdraw(self, item: Any) -> bool:
        return not self.joined and remove_same(self.other.inbox, item)

    def send_capacity(self) -> float:
        return self.other.receive_limit

    def queued(self) -> int:
        return 0 if self.joined else len(self.other.inbox)

    def discard(self) -> None:
        if not self.joined:
            self.dropped += len(self.other.inbox)
            self.other.inbox.clear()

    def let_go(self) -> None:
        super().let_go()
        self.other = _NO_PIPE


_NO_PIPE = InprocPipe(NOBODY, "", 0)
_NO_PIPE.other = _NO_PIPE
_NO_PIPE.plain = False


def _pipe(owner: Any, endpoint: str, limit: float, conflate: bool) -> InprocPipe:
    pipe = InprocPipe(owner, endpoint, limit, conflate=conflate)
    pipe.plain = not owner._interprets and not conflate
    return pipe


class InprocNames:
    """The inproc names of one context: who has bound them, and who waits for them."""

    def __init__(self) -> None:
        self._bindings: dict[str, InprocBinding] = {}
        self._waiting: dict[str, dict[InprocConnection, None]] = {}

    def bind(self, socket: InprocSocket, name: str) -> InprocBinding:
        """Give a name to a socket.

        Raises:
          AddressInUseError: another socket of this context has it.
          EndpointError: it is too long.
        """
        _check_name(name)
        if name in self._bindings:
            text = f"inproc://{name} is bound already by another socket of this context"
            raise AddressInUseError(errno.EADDRINUSE, text)
        binding = self._bindings[name] = InprocBinding(self, socket, name)
        self.retry(name)
        return binding

    def connect(self, socket: InprocSocket, name: str) -> InprocConnection:
        """Connect a socket to a name, whether or not it is bound yet.

        Raises:
          EndpointError: it is too long.
        """
        _check_name(name)
        connection = InprocConnection(self, socket, name)
        if not socket._options.immediate:
            socket._add(connection.pipe)
        self.wait(connection)
        self.retry(name)
        return connection

    def wait(self, connection: InprocConnection) -> None:
        """Let a connection wait for its name."""
        self._waiting.setdefault(connection.name, {})[connection] = None

    def retry(self, name: str) -> None:
        """Join those that wait for a name with who has bound it, if somebody has."""
        binding = self._bindings.get(name)
        if binding is not None:
            for connection in list(self._waiting.get(name, ())):
                if connection.join(binding):
                    self.forget(connection)

    def forget(self, connection: InprocConnection) -> None:
        """The connection waits no longer."""
        waiting = self._waiting.get(connection.name, {})
        waiting.pop(connection, None)
        if not waiting:
            self._waiting.pop(connection.name, None)

    def release(self, binding: InprocBinding) -> None:
        """The name is free again."""
        if self._bindings.get(binding.name) is binding:
            del self._bindings[binding.name]


class InprocBinding:
    """A name that a socket has bound."""

    pipe = None

    def __init__(self, names: InprocNames, socket: InprocSocket, name: str) -> None:
        self.socket = socket
        self.name = name
        self.connections: dict[InprocConnection, None] = {}
        self._names = names

    async def wait_stopped(self) -> None:
        """The name is free as soon as it is given up."""

    def stop(self) -> None:
        """Take no more connections."""
        self._names.release(self)

    def close(self) -> None:
        """Take no more connections and end those there are."""
        self.stop()
        for connection in list(self.connections):
            connection.part()


class InprocConnection:
    """A socket's connection to a name."""

    def __init__(self, names: InprocNames, socket: InprocSocket, name: str) -> None:
        self.name = name
        self.endpoint: str = f"inproc://{name}"
        self._names = names
        self._socket = socket
        self._binding: InprocBinding | None = None
        self.pipe: InprocPipe = self._new_pipe()
        self._far = self._unowned_pipe()

    def _new_pipe(self) -> InprocPipe:
        return _pipe(self._socket, self.endpoint, 0, self._socket._options.conflate)

    def _unowned_pipe(self) -> InprocPipe:
        """A far end that gathers what the near one sends, up to the near one's HWM."""
        options = self._socket._options
        far = _pipe(NOBODY, self.endpoint, options.send_hwm or math.inf, options.conflate)
        far.other, self.pipe.other = self.pipe, far
        far.joined, self.pipe.joined = True, False
        far.resume, self.pipe.resume = self.pipe.room_made, far.room_made
        return far

    def join(self, binding: InprocBinding) -> bool:
        """Let the binding socket take over the far end.

        Returns: whether this connection no longer waits: it stands, or never will because the types do not match.
        """
        near, far, ours, theirs = self.pipe, self._far, self._socket, binding.socket
        reason = explain_incompatible(ours.socket_type, theirs.socket_type)
        if reason is not None:
            self._failed(binding, RemoteProtocolError(reason))
            return True
        far.inbox = deque(far.inbox)  # behind what was gathered comes what is sent while the sides greet each other
        far.stalled = near.stalled = False  # that was by limits which end here, and below who waits is told
        far.receive_limit = _sum(ours._options.send_hwm, theirs._options.receive_hwm)
        near.receive_limit = _sum(theirs._options.send_hwm, ours._options.receive_hwm)
        try:
            theirs._greet(far, _peer_info(ours))
            try:
                ours._greet(near, _peer_info(theirs))
            except PeerUnwantedError:
                theirs._forget_peer(far)
                theirs._remove(far)
                raise
        except PeerUnwantedError as exc:
            self._far = self._unowned_pipe()
            self._far.inbox.extend(far.inbox)
            self._failed(binding, exc)
            return False
        gathered = list(far.inbox)
        far.inbox = deque(maxlen=1 if ours._options.conflate or theirs._options.conflate else None)
        far.owner = theirs
        far.plain = not theirs._interprets and far.inbox.maxlen is None
        far.received = 0  # by nobody so far
        near.joined = True
        near.sent += sum(isinstance(item, Message) for item in gathered)
        self._binding = binding
        binding.connections[self] = None
        for socket, peer in ((ours, theirs), (theirs, ours)):
            socket._monitors.emit(_succeeded(self.endpoint, peer))
        if gathered:
            far.deliver(gathered)
        near.room_made()
        return True

    def _failed(self, binding: InprocBinding, error: Exception) -> None:
        event = HandshakeFailed(endpoint=self.endpoint, address=self.endpoint, error=error)
        self._socket._monitors.emit(event)
        binding.socket._monitors.emit(event)

    def _split(self) -> InprocBinding | None:
        binding, self._binding = self._binding, None
        if binding is not None:
            del binding.connections[self]
            for socket in (self._socket, binding.socket):
                socket._monitors.emit(Disconnected(endpoint=self.endpoint, address=self.endpoint, error=None))
            binding.socket._forget_peer(self._far)
            self._socket._forget_peer(self.pipe)
            binding.socket._remove(self._far)
        return binding

    def part(self) -> None:
        """The binding socket goes: gather again, for whoever binds the name next."""
        self._split()
        immediate = self._socket._options.immediate
        if immediate:  # nothing is queued for a peer to come
            self._socket._remove(self.pipe)
            self.pipe = self._new_pipe()
        self._far = self._unowned_pipe()
        self._names.wait(self)
        self._names.retry(self.name)
        if not immediate:
            self.pipe.room_made()

    async def wait_stopped(self) -> None:
        """Nothing is bound: there is nothing to wait for."""

    def stop(self) -> None:
        """Nothing: a connection goes on while its socket lingers."""

    def close(self) -> None:
        """The connecting socket goes, or disconnects. What it has sent stays with the receiver."""
        self._names.forget(self)
        binding = self._split()
        if binding is not None:
            self._names.retry(self.name)


def _check_name(name: str) -> None:
    if len(name) > _LONGEST_NAME:
        raise EndpointError(f"inproc://{name[:20]}…: a name has {_LONGEST_NAME} characters at the most")


def _sum(sender_hwm: int, receiver_hwm: int) -> float:
    """The limit of a queue that stands for both sides' queues."""
    return sender_hwm + receiver_hwm if sender_hwm and receiver_hwm else math.inf


def _peer_info(socket: InprocSocket) -> PeerInfo:
    return PeerInfo(
        socket_type=socket.socket_type,
        routing_id=socket._options.routing_id,
        metadata={},
        version=(3, 1),
        mechanism="NULL",
    )


def _succeeded(endpoint: str, peer: InprocSocket) -> HandshakeSucceeded:
    return HandshakeSucceeded(
        endpoint=endpoint, address=endpoint, socket_type=peer.socket_type, routing_id=peer._options.routing_id
    )
