"""What the sockets of a network say of themselves, brought into the record.

Theory of operation

The network sees bytes. Only a socket knows why it gave up a connection, when it will try again, and that it dropped a
message because a peer's queue was full. A socket tells its observers of connections at once. It tells nobody of a
dropped message, for that would cost something on the way of every message; it counts. So the counters are read
whenever something else is about to happen at the socket's host, or a fault anywhere: the record then has a "dropped"
behind the drops it tells of, and before whatever the host does next. The "dropped" says since when.

A host may have thousands of sockets. After a look at many, some happenings go by without one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, final
from weakref import WeakKeyDictionary

import trio

from ..._context import Context
from ..._events import ConnectFailed, Disconnected, HandshakeFailed, MonitorEvent
from ..._sockets import Socket
from ...abc import Observer
from .._recorder import Kind, Recorder
from .._times import show_gap

_FAULTS: Final = {"partition", "heal", "cut", "crash", "restart", "pause", "resume"}
_QUIET: Final = {  # no reasons to look:
    "tried again",  # a kernel does this while its program does nothing,
    "probe sent",  # and this;
    "socket event",  # this comes with something that is one
}
_CHEAP: Final = 32  # sockets: to read as many counters costs about as much as one happening


@final
class Witness(Observer):
    """Writes into the record what the sockets of one context say."""

    def __init__(self, host: str, recorder: Recorder) -> None:
        self._host = host
        self._recorder = recorder
        self._recorded: WeakKeyDictionary[Socket, int] = WeakKeyDictionary()  # dropped messages that the record has
        self._looked = trio.current_time()
        self._silent = False

    def event(self, socket: Socket, event: MonitorEvent) -> None:
        """Record it: why a connection failed or was lost under a name of its own. See `Observer.event`."""
        if self._silent:
            return
        kind, text = _tell(socket, event)
        self._recorder.record(kind, self._host, text=text, event=type(event))

    def closed(self, socket: Socket) -> None:
        """Record what the socket has dropped since the last look. See `Observer.closed`."""
        if not self._silent:
            self._count(socket)

    def look(self, sockets: Iterable[Socket]) -> None:
        """Record what the context's sockets have dropped since the last look."""
        for socket in sockets:
            self._count(socket)
        self._looked = trio.current_time()

    def _count(self, socket: Socket) -> None:
        dropped = socket.messages_dropped
        if dropped and (more := dropped - self._recorded.get(socket, 0)):
            self._recorded[socket] = dropped
            text = f"{socket.socket_type} dropped {more:,} {'message' if more == 1 else 'messages'}"
            if (seconds := trio.current_time() - self._looked) > 0:
                text += f" in the last {show_gap(seconds)}"
            self._recorder.record("dropped", self._host, text=text)

    def be_silent(self) -> None:
        """Record nothing more."""
        self._silent = True


def _tell(socket: Socket, event: MonitorEvent) -> tuple[Kind, str]:
    """What the record calls an event, and what it says of it."""
    if isinstance(event, ConnectFailed):
        again = "never again" if event.retry_in == math.inf else f"again in {show_gap(event.retry_in)}"
        return "retry planned", f"{again}: {socket.socket_type}, {event.endpoint}"
    if isinstance(event, HandshakeFailed):
        return "handshake failed", _reason(socket, event.error)
    if isinstance(event, Disconnected) and event.error is not None:
        return "disconnected", _reason(socket, event.error)
    return "socket event", f"{socket.socket_type}, {type(event).__name__}, {event.endpoint}"


def _reason(socket: Socket, error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if text.startswith(socket.socket_type) else f"{socket.socket_type}, {text}"


@final
class Watch:
    """Watches the contexts of every host of a network."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._contexts: dict[str, dict[Context, Witness]] = {}
        self._looked: dict[str, float] = {}  # when a host was looked at last,
        self._looked_everywhere = -1.0  # and when all of them were
        self._to_skip: dict[str, int] = {}  # happenings at a host that go by without a look
        self._looking = False
        recorder.looks.append(self.look)

    def add(self, host: str, context: Context) -> None:
        """Watch a context."""
        witness = self._contexts.setdefault(host, {})[context] = Witness(host, self._recorder)
        context.observe(witness)

    def remove(self, host: str) -> None:
        """A context of the host was left: forget each one that has no sockets any more."""
        contexts = self._contexts.get(host, {})
        for context in list(contexts):
            if context.closed and not context.sockets:
                del contexts[context]

    def crash(self, host: str) -> None:
        """The host's process is dead: what its sockets do while they are cleared away is not recorded."""
        for witness in self._contexts.pop(host, {}).values():
            witness.be_silent()

    def look(self, host: str, kind: Kind) -> None:
        """Something is about to happen at a host: look at its sockets, once at a time; at a fault, everywhere."""
        if self._looking or kind in _QUIET:  # what is about to happen may be a "dropped" that a look has found
            return
        now = trio.current_time()
        if kind in _FAULTS and self._looked_everywhere != now:
            self._looked_everywhere = now
            for name in self._contexts:
                self._look_at(name)
        elif host in self._contexts and self._looked.get(host) != now:
            self._looked[host] = now
            if self._to_skip.get(host, 0) > 0:
                self._to_skip[host] -= 1
            else:
                self._look_at(host)

    def _look_at(self, host: str) -> None:
        count = 0
        self._looking = True
        try:
            for context, witness in self._contexts[host].items():
                sockets = context.sockets
                witness.look(sockets)
                count += len(sockets)
        finally:
            self._looking = False
        self._to_skip[host] = count // _CHEAP
