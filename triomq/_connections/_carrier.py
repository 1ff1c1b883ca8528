"""How endpoints of one scheme become pipes of a socket: the interface between a socket and everything that carries.

Theory of operation

A socket has endpoints. What an endpoint means, its scheme's `Carrier` knows. The carrier makes pipes, and tells the
socket's `PeerHost` what becomes of the peers at their other ends:

    host.add_pipe(pipe)        messages may be queued from now on: the peer is yet to come
    host.admit_peer(pipe, …)   the peer is there; refused by PeerUnwantedError
    host.peer_left(pipe)       the peer is gone, and may come back at the same pipe
    host.remove_pipe(pipe)     the peer is gone for good

What the peer sent, the carrier gives to the pipe by `Pipe.deliver`, for no more than the inbox has room for. What is
queued for the peer, the pipe's sink takes out of the outbox: see `Sink`.

`triomq._connections._stream_carrier` is the carrier of byte streams, and needs a transport. A carrier without streams,
such as ``inproc`` or a multicast fabric, implements `Carrier` itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import trio

from .._events import MonitorEvent
from .._options import Options
from .._pipes import Pipe, PipeOwner
from .._runtime import Runtime, TaskGroup
from .._statistics import Peer
from ..zmtp import PeerInfo
from ._gate import Gate


class PeerHost(Protocol):
    """The part of a socket that carriers talk to. Every method is synchronous."""

    socket_type: str
    """The socket's type, such as ``"PUSH"``."""
    options: Options
    """The socket's options."""
    owner: PipeOwner
    """The owner to make pipes with."""
    wanted: tuple[type, ...]
    """The classes of what a peer sends that the socket's pipes take; leave out the rest."""
    tasks: TaskGroup
    """The socket's tasks: they are cancelled when the socket has closed. What one raises is a bug of the carrier."""
    runtime: Runtime
    """What the sockets of the context share, such as the source of chance."""
    gate: Gate
    """Where to ask whether a peer may come in, for a protocol that has an `AuthenticationRequested`."""
    closing: bool
    """The socket is being closed: it wants no new peer."""
    retries: dict[Callable[[], None], None]
    """Each is called, once, when a peer leaves: one that was unwanted may be admitted now."""

    @property
    def routing_id(self) -> bytes:
        """The name to announce to the peer of a connection that is made now."""

    def emit(self, event: MonitorEvent) -> None:
        """Tell the socket's monitors."""

    def add_pipe(self, pipe: Pipe) -> None:
        """Let the socket queue messages for a peer that is yet to come."""

    def admit_peer(self, pipe: Pipe, peer: PeerInfo) -> None:
        """A peer is ready at the pipe, new or known.

        Raises:
          PeerUnwantedError: the socket has no use for the peer, as long as the others stay; see `until_vacancy`.
        """

    def peer_left(self, pipe: Pipe) -> None:
        """The pipe's peer is gone; the pipe stays, and the peer may come back."""

    def peer_at(self, pipe: Pipe) -> Peer | None:
        """The peer at the pipe, or the last that was there; None if none ever was."""

    def heartbeat(self, pipe: Pipe) -> None:
        """The pipe's peer has answered a heartbeat: ``pipe.round_trip`` is new."""

    def remove_pipe(self, pipe: Pipe) -> None:
        """The pipe's peer, if there is one, is gone for good. What has arrived from it is still received."""

    def note_refusal(self, endpoint: str, error: Exception | None) -> None:
        """At a connected endpoint one of the two refused the other, and would again; None: not any more."""

    def until_vacancy(self, routing_id: bytes, *, again: bool = False) -> AbstractContextManager[object]:
        """A block that is cancelled when a peer leaves: one that was unwanted may be admitted now.

        Each peer that leaves cancels one such block: the oldest of the same routing id, or else the oldest of all.

        Args:
          routing_id: of the peer that waits.
          again: the peer had its turn, and was unwanted still: it is the first to have the next one.
        """


def unadmitted(info: PeerInfo, endpoint: str, address: str) -> Peer:
    """A peer that has to wait for its place, or is turned away."""
    return Peer(
        endpoint=endpoint,
        address=address,
        socket_type=info.socket_type,
        routing_id=info.routing_id,
        since=trio.current_time(),
        metadata=dict(info.metadata),
    )


class Attachment(ABC):
    """One endpoint of a socket, bound or connected."""

    __slots__ = ()

    @property
    def unfinished_handshakes(self) -> int:
        """How many connections are no peers yet."""
        return 0

    def stop(self) -> None:  # noqa: B027  # a carrier without listeners and connections has nothing to do
        """The socket is closing: accept nobody new, and throw away what arrives from now on."""

    def finish(self) -> None:  # noqa: B027  # likewise
        """All that was queued has left: end the connections in good order, and make no new one."""

    @property
    def finished(self) -> bool:
        """No connection is left to end in good order. When that changes, the host is told of a peer that left."""
        return True

    @abstractmethod
    def close(self) -> None:
        """End the endpoint and its connections now, and remove their pipes."""


class Binding(Attachment):
    """A bound endpoint."""

    @property
    @abstractmethod
    def endpoint(self) -> str:
        """The endpoint others connect to, with real port or path in place of wildcards."""

    def stop_accepting(self) -> None:
        """Accept nobody new; the peers that are there stay. A carrier that cannot keep them closes the endpoint."""
        self.close()

    @abstractmethod
    async def wait_closed(self) -> None:
        """After `stop_accepting` or `Attachment.close`: wait until the endpoint is free for others."""


class Connecting(Attachment):
    """A connected endpoint."""

    __slots__ = ()

    @property
    @abstractmethod
    def pipe(self) -> Pipe | None:
        """The pipe of the peer that is there or yet to come; None where messages are queued only for peers that are."""


class Carrier(ABC):
    """How endpoints of one scheme become pipes of a socket."""

    @abstractmethod
    async def bind(self, host: PeerHost, endpoint: str, address: str) -> Binding:
        """Accept peers.

        Args:
          host: the socket that binds.
          endpoint: the whole endpoint.
          address: the endpoint without its ``scheme://``.
        Raises:
          EndpointError: the address is malformed, or nothing for a socket of this type.
          OSError: it cannot be bound; `AddressInUseError` where somebody else has it.
          trio.ClosedResourceError: the socket was closed meanwhile: it is ``closing``.
        Cancellation: nothing stays bound.
        """

    @abstractmethod
    def connect(self, host: PeerHost, endpoint: str, address: str) -> Connecting:
        """Look for a peer, now and whenever it is lost; unless ``immediate`` is set, add a pipe for it at once.

        Args: as for `bind`.
        Raises:
          EndpointError: the address is malformed, or nothing for a socket of this type.
          OSError: there is no peer to look for, only a place to take, and the system refuses it.
        """
