"""What every socket is, whatever its type: endpoints, peers, statistics, its life and its end."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Self

import trio

from .. import _statistics
from .._advice import TIME_LIMIT, check_count, takes
from .._connections import Attachment, Binding, Connecting
from .._errors import AddressInUseError, EndpointError
from .._events import Listening, Monitor
from .._forks import let_go_when_forked
from .._options import Options, make_options
from .._patterns import NOBODY_WAITS, Pattern
from .._runtime import Turn, within
from .._statistics import Peer
from ._advised import AdvisedSocket, MadeByContext
from ._at_creation import EndpointArgument, Endpoints, begin, endpoints_arguments, enter, is_new, refuse_before_entry
from ._kept import Kept
from ._monitors import Monitors
from ._peers import Peers
from ._rejoining import connect_again
from ._shared import NO_THREAD, Shared, check_name, let_calls_look_closer


class Socket(trio.abc.AsyncResource, AdvisedSocket, metaclass=MadeByContext):
    """Base of all socket types; made by `Context.socket`, never directly.

    A socket may be used by any number of tasks of its trio run at once, and from nowhere else. Each call is a
    cancellation point; a schedule point comes when the call waits, and at least once in 64 messages, or
    in 256 of a list.
    """

    socket_type: ClassVar[str]
    """The name on the wire, such as ``"PUSH"``."""
    _pattern_class: ClassVar[type[Pattern]]
    """What the socket type does with messages."""

    _thread: int = NO_THREAD
    """Compared in every call: the thread of the context, from when the socket is made until it is closed."""

    _on_entry: Endpoints | None = None
    """The endpoints to bind and to connect when the socket is entered; None if that is done, or there are none."""

    def __init__(self, shared: Shared, arguments: dict[str, Any]) -> None:
        runtime = shared.runtime
        self._shared: Shared = shared
        self._name: str | None = check_name(arguments.pop("name", None))
        self._options: Options = make_options(self.socket_type, arguments)
        self._turn: Turn = runtime.turn
        self._pattern: Pattern = self._pattern_class(self._options, runtime.random, runtime.turn)
        self._monitors: Monitors = Monitors(self, shared.observers, self._name)
        self._peers: Peers = Peers(self.socket_type, self._options, self._pattern, runtime, self._monitors, shared.gate)
        self._bound: dict[str, Binding] = {}
        self._connected: dict[str, Connecting] = {}
        self._leaving: dict[Connecting, str] = {}  # disconnected from an endpoint, and still sending what is queued
        self._kept: Kept = Kept()
        self._number: int = shared.enter(self)
        let_go_when_forked(self, let_calls_look_closer)
        self._thread = runtime.thread

    @classmethod
    def _make(
        cls, shared: Shared, bind: EndpointArgument, connect: EndpointArgument, arguments: dict[str, Any]
    ) -> Self:
        """Make a socket of the user's keyword arguments."""
        endpoints = endpoints_arguments(bind, connect, shared.carriers)
        made: Self = type.__call__(cls, shared, arguments)
        begin(made, endpoints)
        shared.tell_made(made)
        return made

    async def __aenter__(self) -> Self:
        """Bind and connect, if that is what the socket was made with ``bind=`` for; return the socket.

        Cancellation: the socket is closed.
        Raises: as `bind` and `connect`; the socket is closed then.
        """
        if self._on_entry is not None:
            await enter(self)
        return self

    def _check(self, what: str) -> None:
        """Refuse a call on a closed socket, or from elsewhere."""
        self._shared.runtime.check_thread(f"{self.socket_type}.{what}")
        if self._peers.closing:
            raise trio.ClosedResourceError(f"{self.socket_type}.{what}: this socket is closed")
        if self._on_entry is not None:
            refuse_before_entry(self, what)

    # --- endpoints ------------------------------------------------------------------------

    @takes("bind('tcp://127.0.0.1:5555') takes one endpoint, a str")
    @trio.lowlevel.enable_ki_protection
    async def bind(self, endpoint: str) -> str:
        """Accept peers at an endpoint.

        Args:
          endpoint: ``tcp://interface:port`` (``*`` for every interface, port ``0`` or ``*`` for a free one),
            ``ipc://path`` (``*`` for a new one, ``@name`` for an abstract one), ``inproc://name``, or
            ``epgm://interface;group:port``.
        Returns: the endpoint others connect to, without wildcards.
        Cancellation: nothing stays bound.
        Raises:
          EndpointError: the endpoint is malformed or its transport unknown.
          AddressInUseError: it is bound already, by this socket or another.
          OSError: the system refused it otherwise.
        """
        self._check("bind")
        carrier, address = self._shared.carriers.find(endpoint)
        await trio.lowlevel.checkpoint_if_cancelled()
        self._pattern.check_endpoint(self._connected)
        in_use = f"this socket is bound to {endpoint} already"
        if endpoint in self._bound:
            raise AddressInUseError(errno.EADDRINUSE, in_use)
        binding = await carrier.bind(self._peers, endpoint, address)
        if binding.endpoint in self._bound:  # another task was quicker, where an endpoint is not for one alone
            binding.close()
            raise AddressInUseError(errno.EADDRINUSE, in_use)
        self._bound[binding.endpoint] = binding
        self._monitors.emit(Listening(endpoint=binding.endpoint))
        await trio.lowlevel.cancel_shielded_checkpoint()
        return binding.endpoint

    @takes("unbind(endpoint) takes what bind() returned")
    @trio.lowlevel.enable_ki_protection
    async def unbind(self, endpoint: str, *, keep_peers: bool = False) -> None:
        """Stop accepting peers at an endpoint, and disconnect those that came through it, or keep them.

        Args:
          endpoint: as `bind` returned it.
          keep_peers: accept nobody new and let those stay that are there, as a server does that is to be replaced. A
            later ``unbind`` of the same endpoint disconnects them.
        Cancellation: the socket is still bound.
        Raises:
          EndpointError: the socket is not bound to it.
        """
        self._check("unbind")
        await trio.lowlevel.checkpoint_if_cancelled()
        bindings = [self._bound.pop(endpoint)] if endpoint in self._bound else []
        if not keep_peers:
            bindings += self._kept.take(endpoint)
        if not bindings:
            raise EndpointError(self._no_such(endpoint, "bound", self._bound))
        for binding in bindings:
            if keep_peers:
                binding.stop_accepting()
                self._kept.add(binding, self._peers.pipes)
            else:
                binding.close()
        if not keep_peers:
            self._peers.retire_accepted(endpoint, [connecting.pipe for connecting in self._connected.values()])
        with trio.CancelScope(shield=True):
            for binding in bindings:
                await binding.wait_closed()
            await trio.lowlevel.checkpoint()

    @takes("connect('tcp://127.0.0.1:5555') takes one endpoint, a str; it does not wait, and so needs no time limit")
    @trio.lowlevel.enable_ki_protection
    def connect(self, endpoint: str) -> None:
        """Connect to an endpoint, now and whenever the connection is lost.

        Returns at once, whether or not anybody is there. Unless ``immediate`` is set, messages are queued for
        the peer from now on. Connecting twice to one endpoint changes nothing.

        Raises:
          EndpointError: the endpoint is malformed or its transport unknown.
          WrongStateError: this is a PAIR, which has its peer already, or an endpoint to find it at.
          OSError: the system refuses a place in a multicast group.
        """
        self._check("connect")
        carrier, address = self._shared.carriers.find(endpoint)
        if endpoint in self._connected or connect_again(self, endpoint):
            return
        self._pattern.check_connect()
        self._pattern.check_endpoint(self._connected)
        self._connected[endpoint] = carrier.connect(self._peers, endpoint, address)

    @takes("disconnect(endpoint) takes what connect() was given")
    @trio.lowlevel.enable_ki_protection
    def disconnect(self, endpoint: str) -> None:
        """Undo `connect`. What is queued for that peer goes on being sent for up to ``linger``.

        Raises:
          EndpointError: the socket is not connected to it.
        """
        self._check("disconnect")
        connecting = self._connected.pop(endpoint, None)
        if connecting is None:
            raise EndpointError(self._no_such(endpoint, "connected", self._connected))
        self._pattern.disconnected(endpoint)
        pipe = connecting.pipe
        if pipe is None or not pipe.queued() or not self._options.linger:
            if pipe is not None:
                pipe.draining = True  # what is dropped now is dropped by this call
            connecting.close()
            return
        self._peers.retire_pipe(pipe)
        self._leaving[connecting] = endpoint

        async def wait_sent() -> None:
            while pipe.queued() and pipe.alive and connecting in self._leaving:
                await self._peers.watchers.wait()

        async def finish() -> None:
            try:
                await within(self._options.linger, wait_sent)
            finally:
                if self._leaving.pop(connecting, None) is not None:
                    connecting.close()

        self._peers.tasks.start(finish, name=f"triomq disconnecting {endpoint}")

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The endpoints bound, without wildcards, then those connected, in the order of the calls."""
        self._shared.runtime.check_process(f"{self.socket_type}.endpoints")
        return (*self._bound, *self._connected)

    def _no_such(self, endpoint: object, what: str, attachments: Iterable[str]) -> str:
        known = ", ".join(attachments) or "nothing"
        return f"this {self.socket_type} is not {what} to {endpoint!r}; it is {what} to {known}"

    def __repr__(self) -> str:
        state = "closed" if self._peers.closing else ", ".join((*self._bound, *self._connected)) or "no endpoint"
        named = "" if self._name is None else f" {self._name!r}"
        return f"<triomq.{self.socket_type}{named} {state}>"

    # --- what can be seen -----------------------------------------------------------------

    @property
    def name(self) -> str | None:
        """The name that `Context.socket` was given, for people to read: in logs, statistics and names of tasks."""
        return self._name

    @property
    def options(self) -> Options:
        """The options the socket was made with, defaults included."""
        return self._options

    @property
    def peers(self) -> tuple[Peer, ...]:
        """The peers connected now."""
        self._shared.runtime.check_process(f"{self.socket_type}.peers")
        return self._peers.connected()

    @takes(f"wait_peers(n) takes a number of peers; {TIME_LIMIT}")
    async def wait_peers(self, n: int = 1) -> None:
        """Wait until at least ``n`` peers are connected; with 0, until none is.

        Cancellation: nothing has changed.
        Raises:
          HandshakeRefusedError: there are fewer, and the missing ones refuse this socket, which seldom tries again.
          TypeError: ``n`` is no int.
          ValueError: it is negative.
          trio.ClosedResourceError: the socket was closed, before or meanwhile.
        """
        check_count(f"{self.socket_type}.wait_peers: n, the number of peers,", n, 0)
        await self._wait_until(lambda: self._peers.enough(n, self._bound, self._connected), "wait_peers")

    @trio.lowlevel.enable_ki_protection
    async def _wait_until(self, condition: Callable[[], bool], what: str) -> None:
        self._check(what)
        await trio.lowlevel.checkpoint()
        while True:
            self._check(what)
            if condition():
                return
            await self._peers.watchers.wait()

    @takes("monitor(size=1000) takes a number of events")
    def monitor(self, size: int = 1000) -> Monitor:
        """A receive channel of what happens to this socket's connections, from now on.

        Args:
          size: how many events it keeps for a reader that is slow; older ones are dropped and counted.
        Raises:
          TypeError: ``size`` is no int.
          ValueError: it is negative.
        """
        self._check("monitor")
        check_count(f"{self.socket_type}.monitor: size, the number of events to keep,", size, 0)
        return self._monitors.open(min(size, sys.maxsize))

    @property
    def messages_dropped(self) -> int:
        """The messages dropped so far, over every peer the socket ever had; cheaper to ask than `statistics`."""
        self._shared.runtime.check_process(f"{self.socket_type}.messages_dropped")
        return self._pattern.dropped_messages

    def statistics(self) -> _statistics.SocketStatistics:
        """Counters and queue lengths, as they are now.

        Raises:
          WrongThreadError: this is another thread, another trio run, or a forked process.
        """
        self._shared.runtime.check_thread(f"{self.socket_type}.statistics")
        peers = self._peers.statistics()
        return _statistics.SocketStatistics(
            name=self._name,
            socket_type=self.socket_type,
            endpoints=self.endpoints,
            number=self._number,
            at=trio.current_time(),
            messages_dropped=self._pattern.dropped_messages,
            unfinished_handshakes=sum(one.unfinished_handshakes for one in self._attachments()),
            tasks_waiting_send=self._count_senders(),
            tasks_waiting_receive=self._count_receivers(),
            peers=peers,
            **self._peers.gone.and_those(peers),
        )

    def _count_senders(self) -> int:
        return 0

    def _count_receivers(self) -> int:
        return 0

    # --- the end --------------------------------------------------------------------------

    def _wake_all_closed(self) -> None:
        """Let every task that waits in a call of this socket raise `trio.ClosedResourceError`."""
        self._peers.watchers.wake()

    @takes("aclose() takes nothing; linger= is given when the socket is made")
    @trio.lowlevel.enable_ki_protection
    async def aclose(self) -> None:
        """Close the socket: send what is queued for up to ``linger``, then end every connection.

        Tasks waiting in other calls get `trio.ClosedResourceError` at once. Idempotent.
        Cancellation: the rest of the lingering is left out; the socket is closed all the same.
        """
        self._shared.runtime.check_thread(f"{self.socket_type}.aclose")
        if not self._peers.closing:
            self._refuse_calls()
            for attachment in self._attachments():
                attachment.stop()
        try:
            await trio.lowlevel.checkpoint()
            await within(self._options.linger, self._finish_sending)
            self._peers.ending_by = "linger"
        finally:
            self._end()
            with trio.CancelScope(shield=True):
                await self._peers.tasks.wait_ended()
            self._monitors.end()  # the last connections have told of their ends

    def _refuse_calls(self) -> None:
        self._peers.closing = True
        self._thread = NO_THREAD
        self._wake_all_closed()
        self._pattern.close()

    def _end_unused(self) -> None:
        """Close a socket without endpoints, unless somebody has a monitor of it: it has nothing to send or wait for."""
        if not self._monitors.watched:
            self._refuse_calls()
            self._end()

    def __del__(self) -> None:
        """The program has dropped the socket. Open, it is kept for its context to close; see `Forgotten`."""
        # It was made, and neither closed nor inherited by a forked child.
        if self._thread != NO_THREAD or is_new(self):
            self._shared.sockets[self] = None  # the garbage collector has removed it, if it found it in a cycle
            self._shared.forgotten.keep(self)

    def _attachments(self) -> tuple[Attachment, ...]:
        return (*self._bound.values(), *self._kept.bindings, *self._connected.values(), *self._leaving)

    async def _finish_sending(self) -> None:
        """Let all that is queued leave, then let every connection end in good order.

        In this order: a peer that sees our end of the stream may end its own, and takes nothing more.
        """
        pipes, watchers = self._peers.pipes, self._peers.watchers
        for pipe in pipes:
            pipe.drain()
        while any(pipe.queued() for pipe in pipes):
            await watchers.wait()
        attachments = self._attachments()
        for attachment in attachments:
            attachment.finish()
        while not all(attachment.finished for attachment in attachments):
            await watchers.wait()

    def _end(self) -> None:
        for attachment in self._attachments():
            attachment.close()
        self._bound.clear()
        self._kept.bindings.clear()
        self._connected.clear()
        self._leaving.clear()
        self._peers.end()
        self._pattern.senders = self._pattern.receivers = NOBODY_WAITS
        self._shared.leave(self, self._peers.gone, self._pattern.dropped_messages)
