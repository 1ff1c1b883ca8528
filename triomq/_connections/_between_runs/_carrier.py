"""The carrier of inproc names that several trio runs share: who calls, and who is called.

Theory of operation

A connecting socket *calls*: it looks up who has bound the name, or waits to be told of it, and leaves a call in the
other run's mailbox. All that follows are such calls between the two ends of one link:

    Caller.look ── NearEnd ── called ──► FarEnd      incompatible: refused;  no place yet: unwanted, and later welcomed
                   NearEnd ◄── welcomed ── FarEnd    the binding socket has admitted the peer
                   NearEnd ◄── lost ──► FarEnd       either side has ended the link

Each run changes its own sockets alone. A link that has ended ignores what is still on its way to it, and a caller that
looks again makes a new link. What is left in a mailbox is made in order. So no answer meets a question that is not its
own.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..._errors import PeerUnwantedError, RemoteProtocolError
from ..._events import HandshakeFailed, ListeningStopped
from ..._pipes import LinkedPipe
from ...zmtp import explain_incompatible
from .._by_name import check_name, peer_info
from .._carrier import Binding, Carrier, Connecting, PeerHost, unadmitted
from ._end import End
from ._names import registry_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..._options import Options
    from ..._runtime import Mailbox, Runtime
    from ...zmtp import PeerInfo
    from ._names import Registry, SharedNames


class SharedCarrier(Carrier):
    """Carries ``inproc`` for one context, by names that it shares with others.

    Attributes:
      registry: of the names.
      mailbox: of the context; there is one from the first endpoint on.
    """

    mailbox: Mailbox

    def __init__(self, names: SharedNames) -> None:
        self.registry: Registry = registry_of(names)
        self._entered = False

    async def bind(self, host: PeerHost, endpoint: str, address: str) -> SharedBinding:
        """Give a name to a socket.

        Raises:
          AddressInUseError: another socket that shares the names has it.
          EndpointError: it is too long.
        """
        check_name(address)
        self._enter(host.runtime)
        binding = SharedBinding(self, host, endpoint, address)
        self.registry.bind(binding)
        return binding

    def connect(self, host: PeerHost, endpoint: str, address: str) -> Caller:
        """Connect a socket to a name, whether or not it is bound yet.

        Raises:
          EndpointError: it is too long.
        """
        check_name(address)
        self._enter(host.runtime)
        return Caller(self, host, endpoint, address)

    def _enter(self, runtime: Runtime) -> None:
        if not self._entered:
            self._entered = True
            self.mailbox = runtime.mailbox
            self.registry.enter(self)
            self.mailbox.when_closed(partial(self.registry.leave, self))


class SharedBinding(Binding):
    """A name that a socket has bound.

    Attributes:
      ends: of the links to sockets that have called; those included that have no place yet.
      stopped: the name is given up.
    """

    def __init__(self, carrier: SharedCarrier, host: PeerHost, endpoint: str, name: str) -> None:
        self.carrier: SharedCarrier = carrier
        self.host: PeerHost = host
        self.name: str = name
        self.ends: dict[FarEnd, None] = {}
        self.stopped: bool = False
        self._endpoint = endpoint

    @property
    def endpoint(self) -> str:
        """See `Binding`."""
        return self._endpoint

    def stop(self) -> None:
        """See `Attachment`: the name is free as soon as it is given up."""
        if not self.stopped:
            self.stopped = True
            self.carrier.registry.release(self)
            self.host.emit(ListeningStopped(endpoint=self._endpoint))

    def stop_accepting(self) -> None:
        """See `Binding`."""
        self.stop()

    def close(self) -> None:
        """See `Attachment`."""
        self.stop()
        for end in list(self.ends):
            if end.open:
                end.leave(None)

    async def wait_closed(self) -> None:
        """See `Binding`: the name is free already."""


class Caller(Connecting):
    """A socket's connection to a name.

    Attributes:
      queue: the pipe of the peer that is there or yet to come.
      told: the monitors were told that the peer has to wait, since the last one that had not to.
    """

    def __init__(self, carrier: SharedCarrier, host: PeerHost, endpoint: str, name: str) -> None:
        self.carrier: SharedCarrier = carrier
        self.host: PeerHost = host
        self.name: str = name
        self._endpoint = endpoint
        self._end: NearEnd | None = None
        self._refused_by: SharedBinding | None = None
        self._closed = False
        self.told: bool = False
        self.queue: LinkedPipe = self._new_pipe()
        if not host.options.immediate:
            host.add_pipe(self.queue)
        self.look()

    def _new_pipe(self) -> LinkedPipe:
        host, options = self.host, self.host.options
        pipe = LinkedPipe(
            host.owner, self._endpoint, options.send_limit, options.receive_limit, conflate=options.conflate
        )
        pipe.dialled = True
        return pipe

    @property
    def pipe(self) -> LinkedPipe | None:
        """See `Connecting`: with ``immediate`` there is a pipe only while there is a peer."""
        joined = self._end is not None and self._end.joined
        return self.queue if joined or not self.host.options.immediate else None

    def look(self, other_than: SharedBinding | None = None) -> None:
        """Told: somebody may have bound the name.

        Args:
          other_than: has refused this socket.
        """
        registry = self.carrier.registry
        while not self._closed and self._end is None:
            binding = registry.find(self, other_than)
            if binding is None:
                return
            near, far = NearEnd(self, binding.carrier), FarEnd(binding, self.carrier)
            near.there, far.there = far, near
            if registry.link(near, far):
                self._end = near
                self._refused_by = None
                self.host.note_refusal(self._endpoint, None)
                near.tell(far.called, peer_info(self.host), self.host.options)

    def parted(self, joined: bool) -> None:
        """The link has ended: queue for whoever binds the name."""
        self._end = None
        host, options, pipe = self.host, self.host.options, self.queue
        if joined:
            pipe.restore(())
            pipe.renew_outbox(options.send_limit, options.conflate)
            host.peer_left(pipe)
            if options.immediate:  # nothing is queued for a peer to come
                host.remove_pipe(pipe)
                self.queue = self._new_pipe()
        self.look()
        if joined and not self._closed and not options.immediate:
            pipe.room_made()

    def refused(self, by: SharedBinding, error: Exception) -> None:
        """The two sockets never go together: wait for another one that binds the name."""
        self._end = None
        self._refused_by = by
        self.host.note_refusal(self._endpoint, error)
        self.look(other_than=by)
        if by.stopped:  # before it could know who waits
            self.hope_again(by)

    def hope_again(self, refused_by: SharedBinding) -> None:
        """Told: this binding socket gives up the name; another one may bind it."""
        if self._refused_by is refused_by:
            self._refused_by = None
            self.host.note_refusal(self._endpoint, None)

    def close(self) -> None:
        """See `Attachment`. What was sent stays with the receiver."""
        end = self._end
        self._closed = True
        self.carrier.registry.forget(self)
        self.host.note_refusal(self._endpoint, None)
        if end is not None:
            end.leave(None)
        self.host.remove_pipe(self.queue)


class NearEnd(End):
    """The connecting socket's end.

    It may have no place for the binding socket, which has admitted it already. What that one sends waits for the place.
    """

    there: FarEnd
    _welcome: tuple[PeerInfo, Options]

    def __init__(self, caller: Caller, carrier_there: SharedCarrier) -> None:
        super().__init__(caller.carrier, carrier_there)
        self._caller = caller
        self._put_off: list[Callable[[], None]] = []

    @property
    def host(self) -> PeerHost:
        """See `End`."""
        return self._caller.host

    @property
    def pipe(self) -> LinkedPipe:
        """See `End`."""
        return self._caller.queue

    def welcomed(self, theirs: PeerInfo, their_options: Options) -> None:
        """Told: the binding socket has admitted this one."""
        if self.open:
            self._welcome = theirs, their_options
            self._admit()

    def _admit(self) -> None:
        theirs, their_options = self._welcome
        try:
            self.host.admit_peer(self.pipe, theirs)
        except PeerUnwantedError as exc:
            self.unwanted(exc, theirs)
            self.host.retries[self._admit] = None
            return
        self._caller.told = False
        self.join(theirs, their_options)
        put_off, self._put_off = self._put_off, []
        for call in put_off:
            call()

    def put_off(self, call: Callable[[], None]) -> None:
        """See `End`."""
        if self.open:
            self._put_off.append(call)

    def unwanted(self, error: PeerUnwantedError, theirs: PeerInfo) -> None:
        """Told: the binding socket has no place yet."""
        if self.open and not self._caller.told:
            self._caller.told = True
            fail(self, error, theirs)

    def refused(self, error: RemoteProtocolError) -> None:
        """Told: the two sockets never go together."""
        if self.open:
            fail(self, error, None)
            binding = self.there.binding
            self.part(None)
            self._caller.refused(binding, error)

    def lost(self, error: Exception | None) -> None:
        """See `End`."""
        if self.open:
            self.host.retries.pop(self._admit, None)
            self._put_off.clear()
            self.part(error)
            self._caller.parted(self.joined)


class FarEnd(End):
    """The binding socket's end.

    Attributes:
      binding: of the name, always the same: the other end reads it.
    """

    there: NearEnd
    _pipe: LinkedPipe
    _caller: tuple[PeerInfo, Options]

    def __init__(self, binding: SharedBinding, carrier_there: SharedCarrier) -> None:
        super().__init__(binding.carrier, carrier_there)
        self.binding: SharedBinding = binding
        self._told = False  # that there is no place

    @property
    def host(self) -> PeerHost:
        """See `End`."""
        return self.binding.host

    @property
    def pipe(self) -> LinkedPipe:
        """See `End`."""
        return self._pipe

    def called(self, theirs: PeerInfo, their_options: Options) -> None:
        """Told: a socket wants to be this one's peer."""
        if not self.open:
            return
        host, endpoint, options = self.host, self.binding.endpoint, self.host.options
        reason = explain_incompatible(theirs.socket_type, host.socket_type)
        if reason is not None and not self.binding.stopped:
            self._refuse(RemoteProtocolError(reason))
            return
        self.binding.ends[self] = None
        self._caller = theirs, their_options
        self._pipe = LinkedPipe(
            host.owner, endpoint, options.send_limit, options.receive_limit, conflate=options.conflate
        )
        self._admit()

    def _refuse(self, error: RemoteProtocolError) -> None:
        fail(self, error, None, self.binding.endpoint)
        self.tell(self.there.refused, error)
        self.part(None)

    def _admit(self) -> None:
        if self.binding.stopped:
            self.leave(None)
            return
        host, (theirs, their_options) = self.host, self._caller
        try:
            host.admit_peer(self._pipe, theirs)
        except PeerUnwantedError as exc:
            host.retries[self._admit] = None
            if not self._told:
                self._told = True
                fail(self, exc, theirs)
                self.tell(self.there.unwanted, exc, peer_info(host))
            return
        self.tell(self.there.welcomed, peer_info(host), host.options)
        self.join(theirs, their_options)

    def lost(self, error: Exception | None) -> None:
        """See `End`."""
        if self.open:
            self.host.retries.pop(self._admit, None)
            self.binding.ends.pop(self, None)
            self.part(error)
            if self.joined:
                self.host.remove_pipe(self._pipe)


def fail(end: End, error: Exception, theirs: PeerInfo | None, endpoint: str = "") -> None:
    """Tell the monitors that the peer is none, or none yet.

    Args:
      theirs: of a peer that may still have its place; as over other transports, nobody knows who the others are.
    """
    endpoint = endpoint or end.pipe.endpoint
    peer = None if theirs is None else unadmitted(theirs, endpoint, endpoint)
    end.host.emit(HandshakeFailed(endpoint=endpoint, address=endpoint, error=error, peer=peer))
