"""A publisher's place in a group: one pipe, which stands for all who listen, and its sink."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Final

import trio

from ..._pipes import QueuedPipe
from ..._transports import GroupAddress, GroupPort
from ...pgm import Sender, Tsi, decode
from ...zmtp import Item, Subscribe
from .._carrier import PeerHost
from .._timers import IDLE
from ._place import Place, settings_of, somebody

if TYPE_CHECKING:
    from ._carrier import MulticastCarrier

_BATCH: Final = 16  # messages taken from the outbox at once
_ROUNDS: Final = 8  # of datagrams, up to 64 each, in one call; then other tasks have their turns
_RETRY: Final = 0.001  # seconds until what the system has not taken is given to it again


class Speaker(Place):
    """A PUB or XPUB in a group.

    The group wants everything: nobody can say what he has subscribed to, and everybody filters for himself.
    """

    def __init__(
        self, carrier: MulticastCarrier, host: PeerHost, endpoint: str, address: GroupAddress, port: GroupPort
    ) -> None:
        options = host.options
        name = carrier.network.new_name(host.runtime.random)
        self._speakers = carrier.speakers
        self._tsi = Tsi(name[:6], int.from_bytes(name[6:]))
        self._sender = Sender(self._tsi, settings_of(address, port, options), trio.current_time())
        self._in_flight: deque[Item] = deque()  # messages of which the last datagram has not left
        self._last_write = -math.inf
        self._settling = False
        self._settled = False
        self._details: dict[str, int] = {"naks": 0, "repairs": 0, "unrepaired": 0}
        self._pipe = QueuedPipe(host.owner, endpoint, options.send_limit, math.inf, conflate=options.conflate)
        self._pipe.details = self._details
        super().__init__(host, endpoint, port)
        self._speakers[self._tsi] = self
        host.admit_peer(self._pipe, somebody("SUB"))
        self._pipe.deliver([Subscribe(b"")])
        self._pipe.sink = self
        self.flush()

    @property
    def pipe(self) -> QueuedPipe:
        """See `Connecting`."""
        return self._pipe

    # --- the sink of the pipe -----------------------------------------------------------------

    # On the path of every message.
    def wake(self) -> None:
        """See `Sink`."""
        if self._host.runtime.flusher.gathering or trio.current_time() - self._last_write < IDLE:
            self.wake_later()
        else:
            self.flush()

    def wake_later(self) -> None:
        """See `Sink`."""
        if not self._pipe.sink_told:
            self._pipe.sink_told = True
            self._host.runtime.flusher.add(self)

    def wants_more(self, now: float) -> bool:
        """See `Flushable`: what was gathered in one turn goes into as few datagrams as can be."""
        return False

    # On the path of every message.
    def flush(self) -> None:
        """See `Sink`. What the rate limit holds back counts against the HWM still."""
        if self._closed:
            return
        pipe = self._pipe
        pipe.sink_told = False
        deadline = self._write()
        if pipe.outbox.waiting():
            pipe.sink_told = True  # the alarm goes on
        self._alarm.set(deadline)
        pipe.flushed()

    def _write(self) -> float:
        """Send what the rate limit and the system take now. Returns: when to go on."""
        now = self._last_write = trio.current_time()
        sender, pipe = self._sender, self._pipe
        if not self._send(()):
            return now + _RETRY
        for _ in range(_ROUNDS):
            self._fill()
            outgoing = sender.poll(now)
            if not outgoing:
                break
            if not self._send(outgoing):
                break
        gone = [self._in_flight.popleft() for _ in range(sender.take_finished())]
        pipe.count_sent(gone)
        pipe.outbox.set_unsent(len(self._in_flight))
        return now + _RETRY if self._unsent else sender.deadline()

    def _sent(self, size: int) -> None:
        self._pipe.bytes_sent += size
        self._pipe.last_traffic = self._last_write

    def _fill(self) -> None:
        """Give messages to the sender, up to one datagram more than it has."""
        sender, outbox = self._sender, self._pipe.outbox
        while sender.wants_more and outbox.waiting():
            items, _ = outbox.take(_BATCH)
            for item in items:
                assert isinstance(item, tuple)  # nobody subscribes by a publisher's pipe; no encoding is shared
                sender.send(item)
            self._in_flight.extend(items)

    # --- what receivers ask for ---------------------------------------------------------------

    def _hear(self, datagram: bytes, address: bytes) -> None:
        packet = decode(datagram)
        speaker = self._speakers.get(packet.tsi) if packet is not None else None
        if speaker is not None and packet is not None:
            if speaker._sender.hear(packet, trio.current_time()):
                speaker._alarm.set(-math.inf)

    def _heard(self) -> None:
        """What was asked for is sent when the alarm rings, which is at once."""

    def _ring(self) -> float:
        self.flush()
        sender = self._sender
        self._details.update(naks=sender.naks, repairs=sender.repairs, unrepaired=sender.expired)
        return sender.deadline() if not self._unsent else trio.current_time() + _RETRY

    # --- the end ------------------------------------------------------------------------------

    def finish(self) -> None:
        """See `Attachment`: tell the group, and make repairs for as long as somebody may ask for what was last."""
        self._settling = True
        self._send(self._sender.finish())
        self._host.tasks.start(self._settle, name=f"triomq settling {self._endpoint}")

    async def _settle(self) -> None:
        slept_until = -math.inf
        while slept_until < self._sender.settled_at():  # a repair puts that off
            slept_until = self._sender.settled_at()
            await trio.sleep_until(slept_until)
        self._settled = True
        self._host.peer_left(self._pipe)

    @property
    def finished(self) -> bool:
        """See `Attachment`."""
        return self._settled or not self._settling

    def close(self) -> None:
        """See `Attachment`."""
        if self._closed:
            return
        if not self._settling:
            self._unsent.clear()
            self._send(self._sender.finish())
        super().close()
        self._speakers.pop(self._tsi, None)
        self._host.remove_pipe(self._pipe)
