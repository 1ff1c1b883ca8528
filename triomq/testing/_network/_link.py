"""One direction of a connection: a kernel's send queue, the wire, the other kernel's receive window.

Theory of operation

A stream puts what it is given into the link's queue, which is as large as the send buffer. Octets leave the queue in
segments, as far as the receive window allows: the octets on their way, and those that have arrived and are not read,
are never more than the receive buffer. Each octet read gives one octet of window back; the sender knows of that one
latency later. The agenda gets an entry for it only if the sender waits for it.

When a segment does not arrive (a partition, a dead host), the link *recovers*: that segment, those that fly behind it
and all later ones are held, in order, and tried again with growing pauses, as TCP does. When the path is open again,
all of them go. When the path stays closed for `give_up` seconds, the sender's stream breaks. A sender that waits for a
window which never opens asks for it from time to time, so that it too learns that its peer is gone.
"""

from __future__ import annotations

import random
from collections import deque
from typing import Literal, NamedTuple, Protocol, TypeAlias, final

import trio

from .._recorder import RESENT_BY_ITSELF, Kind
from ._machine import Machine
from ._path import Path
from ._world import World

_FIRST_RETRY = 0.2  # seconds, on top of the round trip, before a lost segment is sent again (Linux: TCP_RTO_MIN)
_LONGEST_RETRY = 120.0  # seconds; that pause is doubled up to this (Linux: TCP_RTO_MAX)

SegmentKind: TypeAlias = Literal["data", "end", "open", "probe"]


_WORDS: dict[SegmentKind, str] = {
    "data": "",
    "end": "the end",
    "open": "the third step of connecting",
    "probe": "a question for more room",
}


class Segment(NamedTuple):
    """What travels: octets, the end of the stream, the third step of connecting, or a question for more room."""

    kind: SegmentKind
    data: bytes = b""


class End(Protocol):
    """What a link asks of the streams at its two ends.

    Attributes:
      host: where it is.
    """

    host: Machine

    def arrive(self, segment: Segment) -> None:
        """A segment has come from the other end."""

    def room_made(self) -> None:
        """The send buffer has room."""

    def fall(self, what: Literal["reset delivered", "timed out"], why: str) -> None:
        """The connection is dead."""


@final
class Link:
    """The way from one stream to the other.

    Args:
      path: what all links from that host to the other share.
      number: of the connection.
      send_buffer: octets that wait to be sent, at the most.
      window: octets on their way or unread, at the most.
    """

    __slots__ = (
        "_back", "_boots", "_credit", "_dice", "_ending", "_first_loss", "_flight", "_flying", "_held",
        "_last_arrival", "_looking", "_number", "_path", "_pause", "_probing", "_queue", "_returns", "_send_buffer",
        "_source", "_target", "_world", "black_hole", "remark",
    )  # fmt: skip

    def __init__(
        self,
        world: World,
        path: Path,
        back: Path,
        number: int,
        source: End,
        target: End,
        send_buffer: int,
        window: int,
    ) -> None:
        self.black_hole: bool = False
        self.remark: str = ""  # for the record: which direction this is, where both ends are on one host
        self._world = world
        self._path = path
        self._back = back
        self._boots = source.host.boots
        self._number = number
        self._source = source
        self._target = target
        self._send_buffer = send_buffer
        self._queue = bytearray()
        self._credit = window
        self._returns: deque[tuple[float, int]] = deque()  # window given back: when the sender knows, and octets
        self._looking = False  # the agenda has an entry that will look at the window
        self._probing = False  # the agenda has an entry that will ask the receiver for window
        self._pause = _FIRST_RETRY  # seconds until the next retry or question
        self._ending: Literal["", "due", "sent"] = ""
        self._flying: deque[Segment] = deque()  # the segments on the wire
        self._flight = 0  # goes up when the segments on the wire are lost: their arrivals are void then
        self._held: deque[Segment] | None = None  # the segments to be sent again; None while the link does not recover
        self._first_loss = 0.0
        self._last_arrival = 0.0
        self._dice: random.Random | None = None

    # --- what the sender does -------------------------------------------------------------

    def room(self) -> int:
        """Octets that `push` would take now."""
        return self._send_buffer - len(self._queue)

    def push(self, data: bytes) -> None:
        """Queue octets; no more than there is room for."""
        self._queue += data
        self._path.ask(self)

    def finish(self) -> None:
        """Queue the end of the stream behind the octets."""
        if not self._ending:
            self._ending = "due"
            self._path.ask(self)

    def open(self) -> None:
        """Send the third step of connecting."""
        self._travel(Segment("open"))

    def abandon(self) -> None:
        """Send nothing more, ever. What is on the wire arrives."""
        self._queue.clear()
        self._ending = "sent"
        self._held = deque() if self._held is not None else None

    def chance(self, probability: float) -> bool:
        """Whether something that happens with a probability happens now."""
        return probability > 0 and self.dice.random() < probability

    @property
    def dice(self) -> random.Random:
        """This direction's own source of chance."""
        if self._dice is None:
            self._dice = self._world.dice("link", self._number, self._path.source)
        return self._dice

    def cut(self, size: int) -> int:
        """``size`` itself or, where the path fragments, sometimes a smaller one from 1 on."""
        return self.dice.randint(1, size) if size > 1 and self.chance(self._path.settings.fragmentation) else size

    # --- the window -----------------------------------------------------------------------

    def consumed(self, size: int) -> None:
        """The receiver has read octets."""
        self._returns.append((trio.current_time() + self._back.settings.latency, size))
        if self._queue and not self._credit:
            self._plan_look()

    def _plan_look(self) -> None:
        if not self._looking:
            self._looking = True
            self._world.agenda.plan(self._returns[0][0], self._look)

    def ready(self) -> bool:
        """Whether a segment may leave now. If only the window is missing, the path is asked again when it opens."""
        if self._source.host.boots != self._boots:
            self.abandon()  # a closed stream's last octets die with their kernel
        if self._ending == "sent":
            return False
        if not self._queue:
            return self._ending == "due"
        now = trio.current_time()
        while self._returns and self._returns[0][0] <= now:
            self._credit += self._returns.popleft()[1]
        if self._credit:
            self._pause = _FIRST_RETRY
            return True
        if self._returns:
            self._plan_look()
        elif not self._probing:
            self._probing = True
            self._world.agenda.plan(now + self._pause, self._probe)
        return False

    def _look(self) -> None:
        self._looking = False
        self._path.ask(self)

    def _probe(self) -> None:
        self._probing = False
        if self._queue and not self._credit and not self._returns and self._held is None:
            self._pause = min(2 * self._pause, _LONGEST_RETRY)
            self._travel(Segment("probe"))
        self._path.ask(self)

    # --- the wire -------------------------------------------------------------------------

    def transmit(self) -> int:
        """Let one segment leave; only if `ready`. Returns: its octets."""
        if not self._queue:
            self._ending = "sent"
            self._travel(Segment("end"))
            return 0
        size = self.cut(min(len(self._queue), self._credit, self._path.settings.segment_size))
        data = bytes(self._queue[:size])
        del self._queue[:size]
        self._credit -= size
        self._travel(Segment("data", data))
        self._source.room_made()
        return size

    def _travel(self, segment: Segment, *, again: bool = False) -> None:
        if segment.kind in ("data", "end"):
            kind: Kind = "sent again" if again else ("sent" if segment.kind == "data" else "end sent")
            self._record(kind, segment)
        if self._held is not None:
            self._held.append(segment)
            return
        settings = self._path.settings
        delay = settings.latency
        if segment.kind == "data" and settings.bandwidth < float("inf"):
            delay += len(segment.data) / settings.bandwidth
        if settings.jitter:
            delay += self.dice.uniform(0, settings.jitter)
        pause = _FIRST_RETRY
        while self.chance(settings.loss) and pause < _LONGEST_RETRY:
            self._record("lost", segment, RESENT_BY_ITSELF)
            delay += pause
            pause *= 2
        self._last_arrival = max(self._last_arrival, trio.current_time() + delay)
        self._flying.append(segment)
        self._world.agenda.plan(self._last_arrival, self._arrive, self._flight)

    def _arrive(self, flight: int) -> None:
        if flight != self._flight:
            return  # this segment was lost together with one before it
        segment = self._flying.popleft()
        if self.black_hole or not self._path.is_open():
            self._record("lost", segment)
            self._held = deque((segment, *self._flying))
            self._flying.clear()
            self._flight += 1
            self._first_loss = trio.current_time()
            self._pause = _FIRST_RETRY + self._path.settings.latency + self._back.settings.latency
            self._world.agenda.plan(self._first_loss + self._pause, self._retry)
        else:
            if segment.kind in ("data", "end"):
                self._record("delivered" if segment.kind == "data" else "end delivered", segment)
            self._target.arrive(segment)

    def _retry(self) -> None:
        held = self._held
        if not held or self._source.host.boots != self._boots:
            return  # abandoned
        now = trio.current_time()
        end = self._first_loss + self._path.settings.give_up
        if now >= end:
            self._source.fall("timed out", "no answer from the peer's host")
        elif self.black_hole or not self._path.is_open():
            self._pause = min(2 * self._pause, _LONGEST_RETRY)
            self._world.agenda.plan(min(now + self._pause, end), self._retry)
        else:
            self._held = None
            self._pause = _FIRST_RETRY
            for segment in held:
                self._travel(segment, again=True)

    def reset(self, why: str) -> None:
        """Send a RST: it overtakes what is queued, and is not sent again if it is lost."""
        self.abandon()
        self._record("reset sent", text=why)
        arrival = max(self._last_arrival, trio.current_time() + self._path.settings.latency)
        self._world.agenda.plan(arrival, self._reset_arrives)

    def _reset_arrives(self) -> None:
        if self._path.is_open() and not self.black_hole:
            self._target.fall("reset delivered", "the peer reset the connection")

    def _record(self, kind: Kind, segment: Segment | None = None, text: str = "") -> None:
        data = b"" if segment is None else segment.data
        what = _WORDS[segment.kind] if segment is not None and kind == "lost" else ""
        text = ", ".join(filter(None, (what, text, self.remark))) if what or self.remark else text
        self._world.recorder.record(kind, self._path.source, self._path.target, self._number, data, text)
