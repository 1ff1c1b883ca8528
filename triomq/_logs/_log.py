"""The observer that writes the log.

Theory of operation

The log is one more observer of events, so nothing of it is on the path of messages. Each kind of event has a method
here, which first decides the level, and asks whether anybody wants that level. What strangers can cause as often as
they like is written under a `Quota`.

    WARNING   a person wants to know it once: somebody turned away, messages dropped, accepting paused
    INFO      connections come and go; the first of many failed attempts
    DEBUG     attempts, handshakes, heartbeats, queues that are full
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

import trio

from .._errors import PeerUnwantedError, RefusedByPeerError, RemoteProtocolError
from .._events import (
    AcceptFailed,
    Connected,
    ConnectFailed,
    Disconnected,
    HandshakeFailed,
    HandshakeSucceeded,
    HighWaterMarkReached,
    HighWaterMarkRelieved,
    KeptWaiting,
    Listening,
    ListeningStopped,
    MessageDropped,
    MonitorEvent,
)
from .._sockets import Observer, Socket
from .._statistics import Peer
from . import _words as words
from ._quota import Quota

_LOGGER: Final = logging.getLogger("triomq")
_DEBUG, _INFO, _WARNING = logging.DEBUG, logging.INFO, logging.WARNING
_MANY_SOCKETS: Final = 1000
"""open sockets of one context that are worth a word; and again when there are twice as many"""
_OWED: Final = ("PUSH", "DEALER", "PAIR", "REQ")
"""types whose messages any peer could have had: a peer that leaves with some is worth a warning"""
_UNTOLD: Final = {
    "turned away": ("peer was turned away", "peers were turned away"),
    "dropped": ("message was dropped", "messages were dropped"),
}
"""kinds whose rest is told when the socket is closed: how one is told, and several"""

Fields = dict[str, Any]
_FIELDS: Final = (
    "event_type", "socket_type", "socket_name", "endpoint", "address", "peer_type", "routing_id", "reason", "count",
    "retry_in",
)  # fmt: skip
"""the fields of each line, in this order; None where one has no meaning"""


class Log(Observer):
    """Writes what happens to the sockets of one context to ``logging.getLogger("triomq")``."""

    def __init__(self) -> None:
        self._quotas: WeakKeyDictionary[Socket, dict[str, Quota]] = WeakKeyDictionary()
        self._next_warning = _MANY_SOCKETS

    # --- what happens -----------------------------------------------------------------------

    def event(self, socket: Socket, event: MonitorEvent) -> None:
        """See `Observer`."""
        if (write := _WRITERS.get(type(event))) is not None:  # a carrier of the user's may have events of its own
            write(self, socket, event)

    def made(self, socket: Socket, count: int) -> None:
        """See `Observer`."""
        if count >= self._next_warning:
            self._next_warning = 2 * count
            text = "%d sockets of this context are open: close each when it is done with, or write 'async with'"
            self._write(_WARNING, text, count, fields={"event_type": "ManySockets", "count": count})

    def heartbeat(self, socket: Socket, address: str, round_trip: float) -> None:
        """See `Observer`."""
        if _LOGGER.isEnabledFor(_DEBUG):
            fields = _fields(socket, event_type="Heartbeat", address=address)
            text = "%s: heartbeat to %s answered after %.2g ms"
            self._write(_DEBUG, text, _subject(socket), words.short(address), round_trip * 1e3, fields=fields)

    def closed(self, socket: Socket) -> None:
        """See `Observer`."""
        for kind, quota in self._quotas.pop(socket, {}).items():
            if kind in _UNTOLD and (count := quota.take_left_out()):
                fields = _fields(socket, event_type="Closed", count=count)
                one, several = _UNTOLD[kind]
                text = one if count == 1 else several
                self._write(_WARNING, "%s: %s more %s", _subject(socket), f"{count:,}", text, fields=fields)
        if _LOGGER.isEnabledFor(_DEBUG):
            self._write(_DEBUG, "%s: closed", _subject(socket), fields=_fields(socket, event_type="Closed"))

    # --- each kind of event -------------------------------------------------------------------

    def _listening(self, socket: Socket, event: Listening | ListeningStopped) -> None:
        text = "listening" if isinstance(event, Listening) else "listening has ended"
        self._say(_INFO, socket, event, text)

    def _accept_failed(self, socket: Socket, event: AcceptFailed) -> None:
        if not _LOGGER.isEnabledFor(_WARNING):
            return
        reason = words.why(event.error)
        if event.retry_in:
            text = f"accepting is paused for {event.retry_in:g} s: {reason}"
            self._say_some(_WARNING, socket, event, text, "accepting", reason)
        else:
            self._say(_DEBUG, socket, event, f"a connection could not be accepted: {reason}", reason)

    def _connect_failed(self, socket: Socket, event: ConnectFailed) -> None:
        if not _LOGGER.isEnabledFor(_INFO):
            return
        reason = words.why(event.error, event.endpoint)
        text = f"cannot connect: {reason}{words.again(event.retry_in)}"
        if not self._say_some(_INFO, socket, event, text, "connecting", reason):
            self._say(_DEBUG, socket, event, text, reason)

    def _connected(self, socket: Socket, event: Connected) -> None:
        if _LOGGER.isEnabledFor(_DEBUG):
            where = "" if event.address == event.endpoint else f" with {words.short(event.address)}"
            self._say(_DEBUG, socket, event, f"there is a connection{where}; the handshake begins")

    def _handshake_succeeded(self, socket: Socket, event: HandshakeSucceeded) -> None:
        if _LOGGER.isEnabledFor(_INFO):
            self._say(_INFO, socket, event, f"connected to {words.who(event.peer, event.address, event.endpoint)}")

    def _handshake_failed(self, socket: Socket, event: HandshakeFailed) -> None:
        if not _LOGGER.isEnabledFor(_WARNING):
            return
        error, dials = event.error, event.retry_in is not None
        reason = words.why(error)
        peer = words.who(event.peer, event.address, event.endpoint)
        if isinstance(error, PeerUnwantedError):
            text = f"{peer} has to wait for its turn: {reason}"
        elif isinstance(error, (trio.BrokenResourceError, trio.ClosedResourceError)) and not dials:
            # Whoever looks whether the port is open, as orchestrators do every few seconds, is no news.
            self._say(_DEBUG, socket, event, f"{peer} left before it had said who it is: {reason}", reason)
            return
        elif isinstance(error, RefusedByPeerError):
            text = f"turned away by {peer}: {reason}{words.again(event.retry_in)}"
        elif isinstance(error, (RemoteProtocolError, trio.TooSlowError, ConnectionError)):
            text = f"turned away {peer}: {reason}{words.again(event.retry_in)}"
        else:
            text = f"no handshake with {peer}: {reason}{words.again(event.retry_in)}"
        self._say_some(_WARNING, socket, event, text, "turned away", reason)

    def _kept_waiting(self, socket: Socket, event: KeptWaiting) -> None:
        if not _LOGGER.isEnabledFor(_INFO if event.over else _WARNING):
            return
        peer = words.who(event.peer, event.address, event.endpoint)
        if event.over:
            self._say(_INFO, socket, event, f"{peer} has a place for this socket now")
        else:
            text = f"{peer} keeps this socket waiting: another has its routing id there, or is the PAIR's peer"
            self._say_some(_WARNING, socket, event, text, "kept waiting", "")

    def _disconnected(self, socket: Socket, event: Disconnected) -> None:
        faulty = isinstance(event.error, RemoteProtocolError)
        if not _LOGGER.isEnabledFor(_WARNING if faulty else _INFO):
            return
        reason = words.why(event.error)
        peer = words.who(event.peer, event.address, event.endpoint)
        if not faulty:
            text = f"{peer} is disconnected: {reason}{words.again(event.retry_in)}"
            self._say(_INFO, socket, event, text, reason)
            return
        by = "disconnected by" if isinstance(event.error, RefusedByPeerError) else "disconnected"
        text = f"{by} {peer}: {reason}{words.again(event.retry_in)}"
        self._say_some(_WARNING, socket, event, text, "turned away", reason)

    def _mark(self, socket: Socket, event: HighWaterMarkReached | HighWaterMarkRelieved) -> None:
        if _LOGGER.isEnabledFor(_DEBUG):
            peer = "nobody yet" if event.peer is None else words.who(event.peer, event.address, event.endpoint)
            if isinstance(event, HighWaterMarkReached):
                state = f"is full: {words.messages(int(event.hwm))}"
            else:
                state = "has room again"
            self._say(_DEBUG, socket, event, f"the queue for {peer} {state}")

    def _dropped(self, socket: Socket, event: MessageDropped) -> None:
        level = _WARNING
        if event.reason == "unroutable":
            level = _INFO  # mostly a reply to a client that has gone
        elif event.reason == "peer left" and socket.socket_type not in _OWED:
            level = _INFO  # a subscriber that has gone misses nothing
        elif event.reason in ("linger", "disconnected") and not socket.options.linger:
            level = _INFO  # that was asked for
        if _LOGGER.isEnabledFor(level):
            text = words.dropped(socket, event)
            kind = "dropped" if level == _WARNING else "dropped as it should be"
            self._say_some(level, socket, event, text, kind, text, event.count)

    # --- lines ------------------------------------------------------------------------------

    def _say_some(
        self,
        level: int,
        socket: Socket,
        event: MonitorEvent,
        text: str,
        kind: str,
        different: str,
        count: int = 1,
    ) -> bool:
        """Write a line of a kind of which there may be too many. Returns: whether it was written."""
        if not _LOGGER.isEnabledFor(level):
            return False
        quota = self._quotas.setdefault(socket, {}).setdefault(kind, Quota())
        if not quota.admits(f"{event.endpoint} {different}", count, trio.current_time()):
            return False
        if left_out := quota.take_left_out():
            text = f"{text} (and {left_out:,} more since the last line on that)"
        self._say(level, socket, event, text, different, count)
        return True

    def _say(
        self, level: int, socket: Socket, event: MonitorEvent, text: str, reason: str | None = None, count: int = 1
    ) -> None:
        if not _LOGGER.isEnabledFor(level):
            return
        peer: Peer | None = getattr(event, "peer", None)
        fields = _fields(
            socket,
            event_type=type(event).__name__,
            endpoint=event.endpoint,
            address=getattr(event, "address", None),
            peer_type=None if peer is None else peer.socket_type,
            routing_id=None if peer is None else words.readable_id(peer.routing_id),
            reason=reason,
            count=count,
            retry_in=getattr(event, "retry_in", None),
        )
        if isinstance(event, MessageDropped):
            fields["reason"] = event.reason
            if event.reason == "unroutable":
                fields["routing_id"] = words.readable_id(event.routing_id)
        where = event.endpoint or ", ".join(socket.endpoints) or "without endpoint"
        self._write(level, "%s %s: %s", _subject(socket), where, text, fields=fields)

    def _write(self, level: int, text: str, *arguments: object, fields: Fields) -> None:
        try:
            _LOGGER.log(level, text, *arguments, extra={name: fields.get(name) for name in _FIELDS})
        except Exception:  # of a handler or filter of the program's: logging itself does no more about one
            if logging.raiseExceptions and sys.stderr is not None:
                traceback.print_exc()


def _subject(socket: Socket) -> str:
    return socket.socket_type if socket.name is None else f"{socket.socket_type} {socket.name!r}"


def _fields(socket: Socket, **others: Any) -> Fields:
    return {"socket_type": socket.socket_type, "socket_name": socket.name, **others}


_WRITERS: Final[Mapping[type, Callable[[Log, Socket, Any], None]]] = {
    Listening: Log._listening,
    ListeningStopped: Log._listening,
    AcceptFailed: Log._accept_failed,
    ConnectFailed: Log._connect_failed,
    Connected: Log._connected,
    HandshakeSucceeded: Log._handshake_succeeded,
    HandshakeFailed: Log._handshake_failed,
    KeptWaiting: Log._kept_waiting,
    Disconnected: Log._disconnected,
    HighWaterMarkReached: Log._mark,
    HighWaterMarkRelieved: Log._mark,
    MessageDropped: Log._dropped,
}
