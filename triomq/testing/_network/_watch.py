"""What the sockets of a network say of themselves, brought into the record.

The network sees octets. That a socket dropped a message because a peer's queue was full, why it hung up, and when it
will try again, only the socket knows. It has no hook for that on the way of a message, and needs none: its monitor
tells of connections, and its counters are looked at when something else happens at its host, or a fault anywhere. So a
"dropped" stands in the record behind the drops it tells of, and before whatever the host does next; it says since when.

A socket with many peers has many counters: after a look that took long, as many happenings go by without one.
"""

from __future__ import annotations

from typing import Final, TypeAlias, final

import trio

from ..._context import Context
from ..._events import ConnectFailed, Disconnected, HandshakeFailed, Monitor, MonitorEvent
from ..._sockets import Socket
from .._recorder import Kind, Recorder
from .._times import show_gap

_MAKES_SOCKETS_KNOWN: Final = {"connecting", "listening"}
_FAULTS: Final = {"partition", "heal", "cut", "crash", "restart", "pause", "resume"}
_CHEAP: Final = 32  # counters that are looked at for nothing


@final
class Tap(Monitor):
    """A monitor that writes into the record."""

    def __init__(self, socket: Socket, host: str, recorder: Recorder, taps: Taps) -> None:
        super().__init__(size=1)
        self._taps = taps
        self._socket: Socket | None = socket  # until it is closed
        self._host = host
        self._recorder = recorder
        self._known = 0
        self._looked = trio.current_time()

    def count(self) -> int:
        """Record what was dropped since the last time. Returns: how many counters that took."""
        socket = self._socket
        if socket is None:
            return 0
        now = trio.current_time()
        dropped = socket._past[2] + sum(pipe.dropped for pipe in socket._pipes)
        if dropped > self._known:
            more, self._known = dropped - self._known, dropped
            words = f"{socket.socket_type} dropped {more:,} {'message' if more == 1 else 'messages'}"
            if self._looked < now:
                words += f" in the last {show_gap(now - self._looked)}"
            self._recorder.record("dropped", self._host, text=words)
        self._looked = now
        return len(socket._pipes)

    def _put(self, event: MonitorEvent) -> None:
        if self._socket is None:
            return
        if isinstance(event, ConnectFailed):
            text = f"again in {show_gap(event.retry_in)}: {self._socket.socket_type}, {event.endpoint}"
            self._recorder.record("retry planned", self._host, text=text)
        elif isinstance(event, HandshakeFailed):
            self._recorder.record("handshake failed", self._host, text=_reason(self._socket, event.error))
        elif isinstance(event, Disconnected) and event.error is not None:
            self._recorder.record("disconnected", self._host, text=_reason(self._socket, event.error))

    def _end(self) -> None:
        self.count()
        self.silence()
        super()._end()

    def silence(self) -> None:
        """Say nothing more, and let go of the socket."""
        if self._socket is not None:
            self._taps.pop(self._socket, None)
        self._socket = None


Taps: TypeAlias = dict[Socket, Tap]
"""The taps of a context's sockets."""


def _reason(socket: Socket, error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if text.startswith(socket.socket_type) else f"{socket.socket_type}, {text}"


@final
class Watch:
    """Looks at the sockets of every context of a network."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._contexts: dict[str, dict[Context, Taps]] = {}
        self._looked: dict[str, float] = {}
        self._looked_everywhere = -1.0
        self._to_skip: dict[str, int] = {}
        self._busy = False
        recorder.look = self.look

    def add(self, host: str, context: Context) -> None:
        """Watch a context."""
        self._contexts.setdefault(host, {})[context] = {}

    def remove(self, host: str) -> None:
        """A context of the host was left: forget those that are over."""
        contexts = self._contexts.get(host, {})
        for context in [context for context in contexts if context._closed]:
            del contexts[context]

    def crash(self, host: str) -> None:
        """A host's process is dead: what its sockets do while they are cleared away never happened."""
        for taps in self._contexts.pop(host, {}).values():
            for tap in list(taps.values()):
                tap.silence()

    def look(self, host: str, kind: Kind) -> None:
        """Something is about to happen at a host."""
        if self._busy:
            return
        now = trio.current_time()
        if kind in _FAULTS and self._looked_everywhere != now:
            self._looked_everywhere = now
            for name in list(self._contexts):
                self._look_at(name)
        elif host in self._contexts:
            if kind in _MAKES_SOCKETS_KNOWN:
                self._tap_new(host)
            if self._looked.get(host) != now:
                self._looked[host] = now
                if self._to_skip.get(host, 0) > 0:
                    self._to_skip[host] -= 1
                else:
                    self._look_at(host)

    def _tap_new(self, host: str) -> None:
        """Listen to the sockets that were made since the last time: the newest are last, and none of them is missed."""
        for context, taps in self._contexts[host].items():
            for socket in reversed(context._runtime.sockets):
                if isinstance(socket, Socket):
                    if socket in taps:
                        break
                    self._tap(socket, host, taps)

    def _look_at(self, host: str) -> None:
        counters = 0
        self._busy = True
        try:
            for context, taps in self._contexts[host].items():
                for socket in context._runtime.sockets:
                    if isinstance(socket, Socket):
                        tap = taps.get(socket) or self._tap(socket, host, taps)
                        counters += tap.count()
        finally:
            self._busy = False
        self._to_skip[host] = counters // _CHEAP

    def _tap(self, socket: Socket, host: str, taps: Taps) -> Tap:
        tap = taps[socket] = Tap(socket, host, self._recorder, taps)
        socket._monitors._monitors.append(tap)
        return tap
