"""One sender, as a receiver hears it: from its packets to messages (RFC 3208 §6)."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

from .._errors import RemoteProtocolError
from .._message import Message
from ._framing import StreamDecoder
from ._packets import Data, Nak, Packet, Spm, SpmRequest, Tsi, encode, is_host
from ._receive_window import ReceiveWindow, Store
from ._serial import MASK, unwrap
from ._settings import Outgoing, Settings

_FIRST_REQUEST: Final = 0.05  # seconds; the longest from a packet of a sender of no SPM to the request for one
_REQUESTS_APART: Final = 1.0  # seconds


class Source:
    """One sender that was heard of.

    Attributes:
      tsi: its name.
      address: where its first packet came from.
      heard: when its last packet came.
      naks: sequence numbers that it was asked for.
      repairs: data that came as a repair.
      gaps: how often something was lost for good, and the stream with it until the next message began.
      skipped: messages that were larger than the limits.
      fin: it said that it sends nothing more.
      error: why the stream of messages was last left, other than by a loss.
    """

    def __init__(
        self,
        tsi: Tsi,
        address: bytes,
        settings: Settings,
        rng: random.Random,
        now: float,
        limits: tuple[float, float] = (math.inf, math.inf),
        store: Store | None = None,
    ) -> None:
        self.tsi: Final = tsi
        self.address: Final = address
        self.heard: float = now
        self.naks: int = 0
        self.repairs: int = 0
        self.gaps: int = 0
        self.fin: bool = False
        self.error: RemoteProtocolError | None = None
        self._settings = settings
        self._random = rng
        self._store = store or Store()
        self._window: ReceiveWindow | None = None
        self._decoder = StreamDecoder(*limits)
        self._messages: deque[Message] = deque()
        self._path: bytes | None = None
        self._spm_serial = 0
        self._request_at = now + rng.uniform(0, _FIRST_REQUEST)

    @property
    def lost(self) -> int:
        """Sequence numbers that will never come."""
        return self._window.lost if self._window is not None else 0

    @property
    def skipped(self) -> int:
        """Messages that were larger than the limits."""
        return self._decoder.skipped

    # --- what is heard ----------------------------------------------------------------------

    def hear(self, packet: Packet, now: float) -> None:
        """Take in a packet of this sender, or one about it."""
        if isinstance(packet, Data):
            self.heard = now
            self._hear_data(packet, now)
        elif isinstance(packet, Spm):
            self.heard = now
            self._hear_spm(packet, now)
        elif isinstance(packet, SpmRequest):  # somebody else has asked
            self._request_at = max(self._request_at, now + _REQUESTS_APART)
        elif packet.kind == "NCF" and self._window is not None:
            self.heard = now
            window = self._window
            window.confirm([unwrap(serial, window.lead) for serial in packet.serials], now)

    def _open(self, first: int) -> ReceiveWindow:
        self._window = ReceiveWindow(first, self._settings.window, self._random, self._store)
        return self._window

    def clear(self) -> None:
        """Let go of what is held: the sender is forgotten."""
        if self._window is not None:
            self._window.clear()

    # On the path of every datagram.
    def _hear_data(self, packet: Data, now: float) -> None:
        window = self._window
        if window is None:
            if packet.repair:  # of something from before we came
                return
            window = self._open(packet.serial)
        number = unwrap(packet.serial, window.lead)
        trail = unwrap(packet.trail, number)
        if trail > number:
            return
        if window.put(number, packet.payload, now) and packet.repair:
            self.repairs += 1
        if trail > window.next:
            window.advance(trail, window.lead, now)

    def _hear_spm(self, packet: Spm, now: float) -> None:
        if self._path is not None and unwrap(packet.serial, self._spm_serial) < self._spm_serial:
            return  # an older one, on a longer way
        if len(packet.path) != len(self._settings.path) or not is_host(packet.path):
            return  # NAKs cannot go there, or would go to everybody
        window = self._window
        if window is None:
            window = self._open((packet.lead + 1) & MASK)
        lead = unwrap(packet.lead, window.lead)
        trail = unwrap(packet.trail, lead)
        if trail > lead + 1:
            return
        self._spm_serial = unwrap(packet.serial, self._spm_serial)
        self._path = packet.path
        self._request_at = math.inf
        self.fin = self.fin or packet.fin
        window.advance(trail, lead, now)

    # --- messages ---------------------------------------------------------------------------

    @property
    def has_messages(self) -> bool:
        """`take` may return something."""
        return bool(self._messages) or (self._window is not None and self._window.has_next)

    @property
    def is_pending(self) -> bool:
        """Something that has arrived was not taken, or something is still asked for."""
        return bool(self._messages) or (self._window is not None and self._window.next <= self._window.known)

    def take(self, most: float, now: float) -> Sequence[Message]:
        """Take up to ``most`` messages that are complete, in the order in which they were sent."""
        messages, window = self._messages, self._window
        while len(messages) < most and window is not None:
            payload = window.pop()
            if payload is None:
                if not window.skip_lost():
                    break
                self.gaps += 1
                self._decoder.leave()
                continue
            try:
                messages.extend(self._decoder.feed(payload))
            except RemoteProtocolError as exc:
                self.error = exc
                self.gaps += 1
        if window is not None:
            window.go_on(now)
        if len(messages) <= most:
            taken = list(messages)
            messages.clear()
            return taken
        taken = list(islice(messages, int(most)))
        for _ in taken:
            messages.popleft()
        return taken

    # --- time -------------------------------------------------------------------------------

    def poll(self, now: float) -> list[Outgoing]:
        """What is to be sent now: NAKs, and requests for an SPM."""
        outgoing = []
        if now >= self._request_at:
            self._request_at = now + _REQUESTS_APART
            request = encode(SpmRequest(self.tsi, self._settings.port))
            outgoing += [Outgoing(request, near=True), Outgoing(request, self.address)]
        if self._window is not None:
            numbers = self._window.due(now, may_ask=self._path is not None)
            self.naks += len(numbers)
            most = self._settings.naks
            for start in range(0, len(numbers), most):
                outgoing.append(self._nak(numbers[start : start + most]))
        return outgoing

    def _nak(self, numbers: Sequence[int]) -> Outgoing:
        assert self._path is not None
        settings = self._settings
        serials = tuple(number & MASK for number in numbers)
        nak = Nak("NAK", self.tsi, settings.port, self._path, settings.group, serials)
        return Outgoing(encode(nak), self._path)

    def deadline(self) -> float:
        """When `poll` has something to do."""
        return min(self._request_at, self._window.deadline() if self._window is not None else math.inf)
