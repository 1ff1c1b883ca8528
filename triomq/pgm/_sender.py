"""The sending end: messages in, datagrams out, and repairs of what a receiver has missed (RFC 3208 §5).

Theory of operation

Messages become a stream, and the stream becomes original data (ODATA), as fast as the rate limit allows. What was sent
is kept in a window. Source path messages (SPM) tell receivers of the window, and where to send NAKs: three at the
beginning, one at growing intervals after each packet of data, so that the loss of the last one is noticed, and three at
the end. A NAK is confirmed to the whole group at once (NCF), so that other receivers need not ask, too; then the repair
follows (RDATA). Repairs have a rate limit of their own, as high as that of original data, so that they neither stand
still behind a backlog nor hold one up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from .._message import Frames
from ._bucket import TokenBucket
from ._framing import StreamEncoder
from ._packets import DATA_HEADER, Nak, Packet, Spm, SpmRequest, Tsi, encode, encode_data
from ._serial import MASK, unwrap
from ._settings import Outgoing, Settings
from ._transmit_window import TransmitWindow

_HEARTBEATS: Final = (0.1, 0.1, 0.1, 0.1, 0.1, 1.3, 7.0, 16.0, 25.0, 30.0)
"""seconds from data to the SPM after it, and on to the next, as libzmq has them; the last for ever"""
_FIRST_SPMS: Final = 3
_LAST_SPMS: Final = 3
_REQUESTED_SPMS_APART: Final = 0.1  # seconds (RFC 3208 §13.3.2)
_REPAIRS_APART: Final = 0.05
"""seconds between two repairs of the same data: OpenPGM asks twice for the first number of a list"""
_BURST: Final = 0.02  # seconds of the rate that may go at once after a pause …
_LEAST_BURST: Final = 8  # … but as many of the largest datagrams in any case …
_MOST_BURST: Final = 65536  # … and no more octets than these: a third of the usual buffer of a receiver
_MOST_READY: Final = 256  # datagrams that wait for `poll`: a storm of NAKs takes no more memory than these
_AT_ONCE: Final = 64  # datagrams of original data that are made by one call
_SETTLING: Final = 0.2
"""seconds after the last data in which a receiver that lacks it has asked: its back-off is up to 50 ms"""


class Sender:
    """One sender of a group, which its `Tsi` names.

    Args:
      tsi: no two senders on a network may have the same one.
      now: seconds of any clock that goes on steadily; all others here are of the same.

    Attributes:
      naks: sequence numbers that receivers have asked for.
      repairs: repairs that were sent.
      expired: sequence numbers that receivers have asked for, and that were not kept any more.
    """

    def __init__(self, tsi: Tsi, settings: Settings, now: float) -> None:
        self.tsi: Final = tsi
        self.naks: int = 0
        self.repairs: int = 0
        self.expired: int = 0
        self._settings = settings
        self._cost = settings.encapsulation + DATA_HEADER
        self._window = TransmitWindow(settings.window, self._cost)
        self._stream = StreamEncoder()
        burst = max(_LEAST_BURST * settings.max_tpdu, min(settings.rate * _BURST, _MOST_BURST))
        self._data_tokens = TokenBucket(settings.rate, burst, now)
        self._repair_tokens = TokenBucket(settings.rate, burst, now)
        self._due: dict[int, None] = {}  # repairs to send
        self._ready: list[Outgoing] = []
        self._spm_serial = 0
        self._heartbeat = len(_HEARTBEATS) - 1
        self._spm_at = now + _HEARTBEATS[-1]
        self._spm_requested = -math.inf  # when the last SPM was sent that somebody has asked for
        self._last_data = -math.inf
        for _ in range(_FIRST_SPMS):
            self._ready.append(self._spm())

    # --- messages ---------------------------------------------------------------------------

    @property
    def wants_more(self) -> bool:
        """The next datagram has room for another message."""
        return self._stream.waiting < self._settings.payload

    def send(self, frames: Frames) -> None:
        """Accept a message; `poll` returns its datagrams."""
        self._stream.put(frames)

    def take_finished(self) -> int:
        """How many messages, since the last call, `poll` has returned the last datagram of."""
        finished, self._stream.finished = self._stream.finished, 0
        return finished

    # --- time -------------------------------------------------------------------------------

    def poll(self, now: float) -> Sequence[Outgoing]:
        """What is to be sent now, in this order."""
        self._repair(now)
        self._send_data(now)
        if now >= self._spm_at:
            self._heartbeat = min(self._heartbeat + 1, len(_HEARTBEATS) - 1)
            self._spm_at = now + _HEARTBEATS[self._heartbeat]
            self._ready.append(self._spm())
        ready, self._ready = self._ready, []
        return ready

    def deadline(self) -> float:
        """When `poll` will have something to return, if nothing else happens."""
        if self._ready:
            return -math.inf
        deadline = self._spm_at
        if self._due:
            deadline = min(deadline, self._repair_tokens.when(self._next_repair_cost()))
        if self._stream.waiting:
            deadline = min(deadline, self._data_tokens.when(self._next_cost()))
        return deadline

    def finish(self) -> Sequence[Outgoing]:
        """No message follows. Returns: what tells the group so; repairs are still made."""
        return [self._spm(fin=True) for _ in range(_LAST_SPMS)]

    def settled_at(self) -> float:
        """When nobody is to be expected any more who asks for a repair of what was sent last."""
        return self._last_data + _SETTLING

    def _send_data(self, now: float) -> None:
        settings, stream, window = self._settings, self._stream, self._window
        for _ in range(_AT_ONCE):
            if not stream.waiting or not self._data_tokens.take(self._next_cost(), now):
                break
            payload = stream.take(settings.payload)
            serial = window.add(payload) & MASK
            packet = encode_data(self.tsi, settings.port, serial, window.trail & MASK, payload, False)
            self._ready.append(Outgoing(packet))
            self._data_sent(now)

    def _next_cost(self) -> int:
        return self._cost + min(2 + self._stream.waiting, self._settings.payload)

    def _data_sent(self, now: float) -> None:
        self._last_data = now
        self._heartbeat = 0
        self._spm_at = now + _HEARTBEATS[0]

    def _spm(self, *, fin: bool = False) -> Outgoing:
        window, settings = self._window, self._settings
        serial, self._spm_serial = self._spm_serial, (self._spm_serial + 1) & MASK
        trail, lead = window.trail & MASK, window.lead & MASK
        spm = Spm(self.tsi, settings.port, serial, trail, lead, settings.path, fin)
        return Outgoing(encode(spm))

    # --- what receivers say -----------------------------------------------------------------

    def hear(self, packet: Packet, now: float) -> bool:
        """Take in a packet that was sent to this host.

        Returns: whether it means something for this sender; then `poll` is to be called.
        """
        if packet.tsi != self.tsi or packet.port != self._settings.port:
            return False
        if isinstance(packet, SpmRequest):
            return self._answer_request(now)
        ours = self._settings
        if not isinstance(packet, Nak) or packet.kind != "NAK" or packet.source != ours.path:
            return False
        return packet.group == ours.group and self._answer_nak(packet, now)

    def _answer_request(self, now: float) -> bool:
        if now < self._spm_requested + _REQUESTED_SPMS_APART:
            return False
        self._spm_requested = now
        self._ready.append(self._spm())
        return True

    def _answer_nak(self, nak: Nak, now: float) -> bool:
        window = self._window
        self.naks += len(nak.serials)
        wanted, expired = [], 0
        for wire in nak.serials:
            serial = unwrap(wire, window.next)
            if window.get(serial) is not None:
                wanted.append(serial)
            else:
                expired += serial < window.trail
        self.expired += expired
        if expired:  # an SPM says what is kept: nobody need ask again
            self._answer_request(now)
        if wanted:
            serials = tuple(serial & MASK for serial in wanted)
            self._confirm(serials)
        for serial in wanted:
            if not window.was_repaired_since(serial, now - _REPAIRS_APART):
                self._due[serial] = None
        return bool(wanted or expired)

    def _confirm(self, serials: tuple[int, ...]) -> None:
        settings = self._settings
        most = settings.naks
        for start in range(0, len(serials), most):
            if len(self._ready) >= _MOST_READY:
                return  # the repairs are confirmation enough
            some = serials[start : start + most]
            confirmation = Nak("NCF", self.tsi, settings.port, settings.path, settings.group, some)
            self._ready.append(Outgoing(encode(confirmation)))

    def _repair(self, now: float) -> None:
        window = self._window
        while self._due:
            serial = next(iter(self._due))
            payload = window.get(serial)
            if payload is None:
                del self._due[serial]
                continue
            if not self._repair_tokens.take(self._cost + len(payload), now):
                break
            del self._due[serial]
            window.repaired(serial, now)
            self.repairs += 1
            port, trail = self._settings.port, window.trail & MASK
            packet = encode_data(self.tsi, port, serial & MASK, trail, payload, True)
            self._ready.append(Outgoing(packet))
            self._data_sent(now)

    def _next_repair_cost(self) -> int:
        payload = self._window.get(next(iter(self._due)))
        return self._cost + len(payload) if payload is not None else 0
