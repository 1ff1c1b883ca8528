"""A subscriber's place in a group: one pipe for each sender that was heard of lately."""

from __future__ import annotations

import math
import socket
from typing import Final

import trio

from ..._errors import PeerUnwantedError, RemoteProtocolError, SilentPeerError
from ..._events import Connected, Disconnected, HandshakeFailed, HandshakeSucceeded
from ..._pipes import CONFIRMED, Confirmation, Loan, QueuedPipe
from ..._transports import GroupAddress, GroupPort
from ...pgm import Receiver, Source, Tsi
from .._carrier import PeerHost
from ._due import Due
from ._place import Place, settings_of, somebody

_AT_ONCE: Final = 64  # messages that are delivered together


class Heard:
    """A sender that was heard of: its pipe, the source of its messages, and the sink that nothing leaves by."""

    def __init__(self, listener: Listener, source: Source, pipe: QueuedPipe) -> None:
        self.source: Final = source
        self.pipe: Final = pipe
        self._listener = listener
        self._gaps = 0
        self._skipped = 0
        self._details: dict[str, int] = {"naks": 0, "repairs": 0, "lost": 0}
        pipe.details = self._details

    # The source of the pipe's inbox.

    def resume(self) -> None:
        """See `Source`: there is room again."""
        self.deliver()
        self._listener.set_alarm(self)

    def hang_up(self, error: Exception) -> bool:
        """See `Source`: the sender does not notice it."""
        self._listener.forget(self, error)
        return True

    def renew(self, error: Exception) -> None:
        """See `Source`."""
        self._listener.forget(self, error)

    def say_goodbye(self, error: Exception) -> None:
        """See `Source`: nothing was queued, and nobody is to be told."""
        self._listener.forget(self, error)

    def confirm(self) -> Confirmation:
        """See `Source`: the subscriber leaves out by itself what it did not subscribe to, from now on."""
        return CONFIRMED

    def lend(self) -> Loan | None:
        """See `Source`: a group's socket has the datagrams of many senders, and is lent to nobody."""
        return None

    # The sink.

    def wake(self) -> None:
        """See `Sink`."""
        self.flush()

    def wake_later(self) -> None:
        """See `Sink`."""
        self.flush()

    def flush(self) -> None:
        """See `Sink`: messages are dropped and subscriptions forgotten, as nobody can be told of them."""
        self.pipe.sink_told = False
        self.pipe.discard()
        self.pipe.flushed()

    # On the path of every message.
    def deliver(self) -> None:
        """Give the inbox what it has room for; what it has none for stays in the window, and the window has a bound."""
        source, pipe = self.source, self.pipe
        now = trio.current_time()
        while source.has_messages:
            inbox = pipe.inbox
            room = min(inbox.limit - len(inbox.queue), _AT_ONCE)
            if room <= 0:
                inbox.source_waits = True
                break
            if messages := source.take(room, now):
                pipe.deliver(messages)
        self._count()

    def _count(self) -> None:
        """Count what is lost for good: how many messages it was nobody knows, at least one for each gap."""
        source = self.source
        if source.gaps != self._gaps:
            self.pipe.lose("lost", source.gaps - self._gaps)
            self._gaps = source.gaps
        if source.skipped != self._skipped:
            self.pipe.lose("malformed", source.skipped - self._skipped)
            self._skipped = source.skipped
        details = self._details
        details["naks"], details["repairs"], details["lost"] = source.naks, source.repairs, source.lost


class Listener(Place):
    """A SUB or XSUB in a group."""

    def __init__(self, host: PeerHost, endpoint: str, address: GroupAddress, port: GroupPort) -> None:
        options = host.options
        self._group_port = address.port
        self._receiver = Receiver(
            settings_of(address, port, options),
            host.runtime.random,
            max_message_size=options.max_message_size,
            max_frames=options.max_frames,
            max_sources=options.max_peers,
        )
        self._known: dict[Tsi, Heard] = {}
        self._touched: dict[Heard, None] = {}  # were heard of, and may have something to deliver
        self._due: Due[Heard] = Due()
        self._stopped = False
        super().__init__(host, endpoint, port)

    @property
    def pipe(self) -> None:
        """See `Connecting`: nothing is ever queued."""

    def stop(self) -> None:
        """See `Attachment`."""
        self._stopped = True

    def close(self) -> None:
        """See `Attachment`."""
        if self._closed:
            return
        super().close()
        for heard in list(self._known.values()):
            self.forget(heard, None)

    # --- what is heard ------------------------------------------------------------------------

    # On the path of every datagram.
    def _hear(self, datagram: bytes, address: bytes) -> None:
        if self._stopped:
            return
        now = trio.current_time()
        source = self._receiver.hear(datagram, address, now)
        if source is None:
            return
        heard = self._known.get(source.tsi) or self._meet(source)
        if heard is not None:
            self._touched[heard] = None
            heard.pipe.bytes_received += len(datagram)
            heard.pipe.last_traffic = now

    def _heard(self) -> None:
        touched, self._touched = self._touched, {}
        for heard in touched:
            if not heard.pipe.inbox.source_waits:
                heard.deliver()
            self.set_alarm(heard)

    def _refuse(self, address: bytes, error: RemoteProtocolError) -> None:
        event = HandshakeFailed(endpoint=self._endpoint, address=self._name(address), error=error)
        self._host.emit(event)

    def _meet(self, source: Source) -> Heard | None:
        host, options = self._host, self._host.options
        pipe = QueuedPipe(host.owner, self._endpoint, math.inf, options.receive_limit, conflate=options.conflate)
        pipe.address = f"{self._name(source.address)}/{source.tsi.gsi.hex()}.{source.tsi.port}"
        try:
            host.admit_peer(pipe, somebody("PUB"))
        except PeerUnwantedError as exc:
            self._receiver.forget(source.tsi)
            host.emit(HandshakeFailed(endpoint=self._endpoint, address=pipe.address, error=exc))
            return None
        heard = self._known[source.tsi] = Heard(self, source, pipe)
        pipe.inbox.source = heard
        pipe.sink = heard
        heard.flush()
        host.emit(Connected(endpoint=self._endpoint, address=pipe.address))
        host.emit(HandshakeSucceeded(endpoint=self._endpoint, address=pipe.address, socket_type="PUB", routing_id=b""))
        return heard

    def _name(self, address: bytes) -> str:
        text = socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)
        return f"[{text}]:{self._group_port}" if ":" in text else f"{text}:{self._group_port}"

    # --- time ---------------------------------------------------------------------------------

    def set_alarm(self, heard: Heard) -> None:
        """Ring when the sender is to be asked for something, or to be forgotten, unless it is forgotten already."""
        if self._known.get(heard.source.tsi) is heard:
            at = self._receiver.deadline_of(heard.source)
            self._due.plan(heard, at)
            self._alarm.set(at)

    def _ring(self) -> float:
        now = trio.current_time()
        for heard in self._due.take(now):
            source = heard.source
            self._send(source.poll(now))
            if not heard.pipe.inbox.source_waits:
                heard.deliver()  # what is given up for lost holds nothing back any more
            if self._receiver.is_silent(source, now):
                silence = f"nothing came from {heard.pipe.address} for {now - source.heard:.0f} s"
                self.forget(heard, None if source.fin else SilentPeerError(silence))
            self.set_alarm(heard)
        return self._due.next()

    def forget(self, heard: Heard, error: Exception | None) -> None:
        """The sender is gone, or to be listened to no more. What has arrived is still received."""
        if self._known.pop(heard.source.tsi, None) is None:
            return
        self._receiver.forget(heard.source.tsi)
        self._touched.pop(heard, None)
        self._due.forget(heard)
        self._host.remove_pipe(heard.pipe)
        self._host.emit(Disconnected(endpoint=self._endpoint, address=heard.pipe.address, error=error))
