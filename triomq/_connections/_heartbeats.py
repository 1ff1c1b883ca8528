"""Which side has to say something, and until when: the two clocks of one connection (RFC 37 §2.8).

Theory of operation

*What the peer owes us.* We send a PING every ``heartbeat_interval``. The PING stands in the outbox behind what is
queued, and one is under way at the most. From the moment it was handed over whole, the peer has ``heartbeat_timeout``
to say anything at all. Before that moment the peer has as long from each time that the connection took something: a
peer that takes a long queue slowly is not silent, one that takes nothing and says nothing is.

*What we told the peer, or the peer told us.* Our PING says ``heartbeat_ttl``: the peer may give us up when nothing
follows within that time. The peer's last PING says the same of the peer; whatever follows fulfils it.

One task, `Heartbeats.run`, waits for the earliest of these times. When a limit is up, it looks at the stream once:
this program may have been busy, and what the peer said in time lies in the kernel. Only if nothing is there the peer
is silent.

While the inbox is full nothing is read, and the peer may well be speaking. So both clocks stand still, and the peer is
told unasked, twice as often as it pings, that we live: else the peer would drop a consumer that is only slow.
"""

from __future__ import annotations

import enum
import math
from typing import Protocol

import trio

from .. import zmtp
from .._errors import SilentPeerError
from .._options import Options
from .._pipes import Confirmation, Pipe
from ._life import HeartbeatsHost
from ._questions import Questions, Written
from ._timers import KEEPALIVE
from ._told_to_wait import ADMITTED, WAITING

SINCE = (3, 1)
"""the version of ZMTP whose peers know heartbeats"""


class _Ping(enum.Enum):
    """Where our last PING is."""

    ANSWERED = enum.auto()
    QUEUED = enum.auto()
    SENT = enum.auto()


class Sender(Protocol):
    """What heartbeats are sent by."""

    def send_heartbeat(self, heartbeat: zmtp.Ping | zmtp.Pong) -> None:
        """Queue a heartbeat for the peer."""

    def taken_at(self) -> float:
        """When the connection last took something of ours."""


class Heartbeats:
    """The heartbeats of one established connection.

    Args:
      options: of the socket.
      version: of ZMTP that is spoken on the connection.
      address: of the peer, for the text of errors.
      sender: queues the heartbeats.
      host: the connection itself.

    Attributes:
      active: a clock runs; `heard` is to be called whenever the peer says something.
      answered: a PING was answered, by the peer or by us.
    """

    __slots__ = (
        "_address", "_alarm", "_answer_due", "_count", "_host", "_interval", "_knows_pong", "_more_due",
        "_next_ping", "_paused", "_peer_interval", "_peer_ttl", "_ping", "_pinged_at", "_promise", "_questions",
        "_sender", "_sent_at", "_timeout", "_ttl", "_waits", "active", "answered",
    )  # fmt: skip

    def __init__(
        self,
        options: Options,
        version: tuple[int, int],
        address: str,
        sender: Sender,
        host: HeartbeatsHost,
    ) -> None:
        interval = options.heartbeat_interval if version >= SINCE else 0.0
        self._interval: float = interval or math.inf
        self._timeout: float = options.heartbeat_timeout or self._interval
        self._ttl: float = options.heartbeat_ttl
        self._promise = self._ttl if interval else 0.0  # what any PING of ours tells: the last one counts
        self._questions: Questions | None = None  # once somebody has asked
        self._address = address
        self._sender = sender
        self._host = host
        self._waits = False  # the peer keeps this side waiting for its place
        self._count = 0  # PINGs so far; each carries the last bytes of its number, and its PONG brings them back
        self._sent_at: float | None = None  # when the last of them was handed over whole, until it is answered
        self.active: bool = False
        self.answered: bool = False
        self._knows_pong = version >= SINCE
        self._ping = _Ping.ANSWERED
        self._next_ping: float = math.inf
        self._answer_due: float = math.inf  # by our PING
        self._more_due: float = math.inf  # by the peer's
        self._peer_ttl: float = 0.0  # of the peer's last PING, while nothing has followed
        self._paused = False
        self._alarm: trio.CancelScope | None = None  # while `run` waits: a scope for each idle connection takes 0.3 KiB
        self._pinged_at: float = trio.current_time()  # time of the peer's last PING; at first, of the connection
        # The shortest time between two of the peer's PINGs; before the second, as short as ours if that is short.
        self._peer_interval: float = min(KEEPALIVE, self._interval)

    def begin(self) -> None:
        """The connection is established: send PINGs from now on, if the options say so."""
        self._next_ping = trio.current_time() + self._interval
        if self._interval != math.inf:
            self._watch()

    def _watch(self) -> None:
        """Let `run` look at the clocks anew."""
        if not self.active:
            self.active = True
            self._host.start_heartbeats()
        if self._alarm is not None:
            self._alarm.deadline = self._next_alarm()

    async def run(self) -> None:
        """Send PINGs, and watch the clocks, until the peer is silent for too long.

        Raises:
          SilentPeerError: nothing came within a limit.
        """
        while True:
            with trio.CancelScope(deadline=self._next_alarm()) as self._alarm:
                await trio.sleep_forever()
            now = trio.current_time()
            if now >= min(self._answer_due, self._more_due):
                self._judge(now)
            if now >= self._next_ping:
                self._next_ping = now + self._interval
                if self._ping is not _Ping.SENT and not self._paused:
                    self._answer_due = min(self._answer_due, now + self._timeout)
                if self._ping is _Ping.ANSWERED:
                    self._ping = _Ping.QUEUED
                    self._count += 1
                    self._sent_at = None
                    self._sender.send_heartbeat(zmtp.Ping(ttl=self._ttl, context=self._context()))

    def _context(self) -> bytes:
        return (self._count & 0xFFFF).to_bytes(2, "big")

    def _next_alarm(self) -> float:
        return min(self._next_ping, self._answer_due, self._more_due)

    def _judge(self, now: float) -> None:
        if self._host.look():
            self.heard()
            return
        if self._ping is _Ping.QUEUED and self._answer_due <= now:
            self._answer_due = self._sender.taken_at() + self._timeout
        due = min(self._answer_due, self._more_due)
        if now < due:
            return
        if due == self._more_due:
            text = f"nothing from {self._address} within the {self._peer_ttl} s that its heartbeat promised"
        else:
            text = f"nothing from {self._address} within {self._timeout} s after a heartbeat"
        raise SilentPeerError(text)

    # --- what the connection tells ----------------------------------------------------------

    # On the path of every read.
    def heard(self) -> None:
        """The peer has said something."""
        self._more_due = self._answer_due = math.inf
        self._peer_ttl = 0.0
        if self._ping is _Ping.SENT:
            self._ping = _Ping.ANSWERED
            self.answered = True

    def ping_followed(self) -> None:
        """Something followed the peer's PING in what was read with the PING: the peer has kept its promise."""
        self._more_due = math.inf
        self._peer_ttl = 0.0

    def ping_sent(self) -> None:
        """Our PING was handed over whole."""
        if self._ping is _Ping.QUEUED:
            self._ping = _Ping.SENT
            self._sent_at = trio.current_time()
            if not self._paused:
                self._answer_due = trio.current_time() + self._timeout
                self._watch()

    def confirm(self, pipe: Pipe) -> Confirmation:
        """Ask whether the peer has taken in what is queued for it."""
        if not self._knows_pong:
            return Written(pipe)
        if self._questions is None:
            self._questions = Questions(self._sender.send_heartbeat)
        return self._questions.ask(self._promise)

    def pong_received(self, context: bytes) -> bool:
        """The peer has sent a PONG: the answer to our last PING, to an earlier one, or to none.

        Returns: whether somebody may have waited for it.
        """
        if self._questions is not None and self._questions.pong_received(context, self._promise):
            return True
        if self._sent_at is not None and context == self._context():
            seconds = trio.current_time() - self._sent_at
            self._sent_at = None
            self._host.heartbeat_answered(seconds)
        else:
            waits = context == WAITING.context
            if (waits or context == ADMITTED.context) and waits is not self._waits:
                self._waits = waits
                self._host.kept_waiting(waits)
        return False

    @property
    def awaits_pong(self) -> bool:
        """Somebody waits for a PONG, or wants to know how long it takes."""
        return self._sent_at is not None or (self._questions is not None and self._questions.under_way)

    def ping_received(self, ttl: float) -> None:
        """The peer has sent a PING; what it says takes the place of what the one before said."""
        now = trio.current_time()
        if now > self._pinged_at:
            self._peer_interval = min(self._peer_interval, now - self._pinged_at)
        self._pinged_at = now
        self.answered = True
        self._peer_ttl = ttl
        self._more_due = math.inf
        if ttl and not self._paused:
            self._more_due = now + ttl
            self._watch()

    # --- while the inbox is full ------------------------------------------------------------

    def pause(self) -> None:
        """Nothing is read from now on."""
        self._paused = True
        self._answer_due = self._more_due = math.inf

    def proceed(self) -> None:
        """What comes is read again: the peer has all of its time again."""
        self._paused = False
        now = trio.current_time()
        if self._ping is not _Ping.ANSWERED:
            self._answer_due = now + self._timeout
            self._watch()
        if self._peer_ttl:
            self._more_due = now + self._peer_ttl
            self._watch()

    @property
    def sign_of_life_every(self) -> float:
        """Seconds between two signs of life for a peer that is not read."""
        return self._peer_interval / 2

    def show_life(self) -> None:
        """Tell the peer, unasked, that we live."""
        if self._knows_pong:
            self._sender.send_heartbeat(zmtp.Pong())
