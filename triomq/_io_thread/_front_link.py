"""The user's half of a pipe: the pipe that the socket's pattern knows.

Theory of operation

A pipe has two halves, one in each run, and messages lie in either. What the user sends waits in the outbox here for the
end of the turn at the most, and goes over as a batch; it waits for the connection in the other half. What the peer
sends goes over as it was read, and waits in the inbox here.

    user's run   send ── outbox ── FrontLink.flush ──► BackLink.take_out ── outbox ── Writer    I/O run
                 receive ── inbox ── FrontLink.take_in ◄── BackLink.interpret ── Reader

Both HWMs hold over both halves, exactly. Each run *reads* how much the other has done, from counters that only grow.
They are read in such an order that there may seem to be less room than there is, and never more. Only who has found no
room says so by the mailbox, and is told by the mailbox when there is some.

The I/O run is right about which peers are there, and this half follows. What the pattern says to a peer that comes, the
double of the pattern has said already; so it is left out here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import trio

from .._connections import IDLE, report_success, report_waiting_peer
from .._errors import PeerUnwantedError
from .._patterns import PROBE
from .._pipes import CONFIRMED, Confirmation, Loan, Received
from .._statistics import Peer
from ..zmtp import Item
from ._arrivals import Arrival, Waiting, report_parting
from ._front_pipe import FrontPipe

if TYPE_CHECKING:
    from .._events import Disconnected
    from ._back_link import BackLink
    from ._front import FrontSocket

_ALL: Final = 1 << 30  # messages; as many go over in one batch as there are


class Answer:
    """See `Confirmation`."""

    __slots__ = ("done", "settling")

    def __init__(self) -> None:
        self.done: bool = False
        self.settling: float = 0.0


class FrontLink:
    """The user's half of a pipe: the sink and the source of what the pattern knows.

    A method whose docstring begins with "Told" is called by the I/O run, by `IoRun.post`.

    Attributes:
      back: the other half.
      pipe: there is one from when this side looks for the peer, or the peer has come, until it is removed.
      drops_told: the I/O run has told of messages that it dropped, and they are not counted here yet.
      unwanted: the last peer came when the endpoint was given up already, or the socket was being closed; or one of
        the two happened while it waited for its place.
      delivered: items of the peer's that were delivered so far. The I/O run reads it.
    """

    def __init__(self, socket: FrontSocket, back: BackLink) -> None:
        self.back: BackLink = back
        self.pipe: FrontPipe | None = None
        self.delivered: int = 0
        self.drops_told: bool = False
        self.unwanted: bool = False
        self._socket = socket
        self._over = False  # the pipe was removed here
        self._ended = False  # there is no other half any more
        self._last_peer: Peer | None = None  # who was there until then
        self._handed_over = 0  # messages, so far
        self._asked_for_room = False
        self._last_flush = -math.inf
        self._counts: tuple[int, int] | None = None  # sent and gone, as they were when the peer left
        self._drops_counted = 0  # of the messages that were dropped in the other half
        self._doubts = 0  # messages that were taken back, of which the other half has not told whether they had left
        self._doubted_from = 0  # what comes meanwhile from this connection on, counted by admissions, is not wanted
        self._void_through = 0  # nor what comes from this one or one before
        self._waiting: Waiting | None = None  # the peer waits for its place
        self._had_place = False  # the last peer that came

    def waiting(self) -> int:
        """What waits in the inbox here. The I/O run reads it."""
        pipe = self.pipe
        return 0 if pipe is None else len(pipe.inbox.queue)

    def sent(self) -> int:
        """Messages that have left."""
        if self._counts is not None:
            return self._counts[0]
        pipe = self.back.pipe
        return 0 if pipe is None else pipe.sent

    def there(self) -> int:
        """Messages that wait in the other half, or are under way there."""
        return self._handed_over - (self.back.gone() if self._counts is None else self._counts[1])

    def tell(self, method: Callable[..., object], *arguments: object) -> bool:
        """Have a method of the other half called, unless that has ended."""
        return not self._ended and self._socket.io.tell(partial(method, *arguments))

    def new_pipe(self, endpoint: str, *, dialled: bool) -> FrontPipe:
        """Make the pipe."""
        pipe = self.pipe = FrontPipe(self, self._socket.host, endpoint)
        pipe.dialled = dialled
        pipe.inbox.source = self
        pipe.sink = self
        pipe.sink_told = False
        return pipe

    # --- peers ------------------------------------------------------------------------------------

    def arrived(self, who: Arrival) -> None:
        """Told: a peer was admitted."""
        host, pipe = self._socket.host, self.pipe
        self.unwanted = self._over or (pipe is None and who.dialled and who.endpoint in self._socket.given_up)
        if self.unwanted:
            return
        if pipe is None:
            pipe = self.new_pipe(who.endpoint, dialled=who.dialled)
        pipe.address, pipe.process = who.address, who.process
        pipe.admissions = who.admissions - 1  # this one is counted as it is admitted
        pipe.sink_told = True  # the peer has been greeted: let nothing go before the greeting is taken out again
        try:
            host.admit_peer(pipe, who.peer)
        except PeerUnwantedError as exc:
            self._wait_for_place(who, exc)
            return
        waiting, self._waiting, self._had_place = self._waiting, None, True
        report_success(host, who.endpoint, who.address, who.peer, host.peer_at(pipe))
        if host.options.probe_router:
            pipe.outbox.withdraw(PROBE)
        if waiting is not None:
            for events, size in waiting.early:
                self.take_in(events, size)
        self.flush()

    def _wait_for_place(self, who: Arrival, error: PeerUnwantedError) -> None:
        host = self._socket.host
        self.unwanted, self._had_place = host.closing, False
        if self.unwanted:
            return
        if self._waiting is None:
            self._waiting = Waiting(host, partial(self.arrived, who))
            report_waiting_peer(host, who.endpoint, who.address, who.peer, error)
        self._waiting.wait()

    def _stop_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self.unwanted = self.unwanted or self._socket.host.closing
            waiting.stop()
            self.delivered += sum(len(events) for events, _ in waiting.early)
            self._socket.io.bytes_delivered += sum(size for _, size in waiting.early)

    def parted(self, event: Disconnected) -> None:
        """Told: the connection has ended."""
        if not self.unwanted:  # else the peer has neither come nor left here
            report_parting(self._socket.host, event, had_place=self._had_place)

    def lost(self, sent: int, gone: int) -> None:
        """Told: the peer is gone, and may come back; until then so many messages had left, or were dropped."""
        pipe = self.pipe
        self._stop_waiting()
        if pipe is not None and pipe.alive:
            self.drops_told = False
            self._counts = sent, gone
            self._socket.host.peer_left(pipe)
            self._counts = None
            self.count_drops(pipe)
            self.flush()

    def removed(self, sent: int, gone: int) -> None:
        """Told: the peer is gone for good."""
        pipe, back = self.pipe, self.back
        self._stop_waiting()
        self._counts = sent, gone
        if pipe is not None and pipe.alive:
            self._socket.host.remove_pipe(pipe)
        self._over = True
        self.back = self._socket.no_link()  # the two halves are no cycle any more
        self.tell(back.forget)
        self._ended = True

    def let_go(self) -> None:
        """The pipe was removed here. Messages of the peer's that it has may still be received."""
        pipe, self.pipe, self._over = self.pipe, None, True
        self.unwanted = self.unwanted or self._waiting is not None
        self._last_peer = None if pipe is None else pipe.last_peer

    def peer(self) -> Peer | None:
        """Who is there, or was."""
        return self._last_peer if self.pipe is None else self._socket.host.peer_at(self.pipe)

    def beat(self, round_trip: float | None) -> None:
        """Told: the peer has answered a heartbeat."""
        pipe = self.pipe
        if pipe is not None and pipe.alive:
            pipe.round_trip = round_trip
            self._socket.host.heartbeat(pipe)

    # --- from the peer ------------------------------------------------------------------------------

    # On the path of every message.
    def take_in(self, events: Sequence[Received], size: int) -> None:
        """Told: take in what the peer sent: so many bytes, if they are counted."""
        pipe = self.pipe
        if self._waiting is not None:
            self._waiting.early.append((events, size))
            return
        if pipe is not None and (
            pipe.admissions <= self._void_through or (self._doubts and pipe.admissions >= self._doubted_from)
        ):
            pipe.drop(sum(isinstance(event, tuple) for event in events))
        elif pipe is not None and pipe.alive and not self._socket.host.closing:
            pipe.deliver(events)
            if pipe.inbox.conflates:
                self.tell(self.back.taken_in)
        self.delivered += len(events)
        self._socket.io.bytes_delivered += size

    def conflated(self, dropped: int, arrived: int) -> None:
        """Told: newer messages have taken the place of older ones on the way."""
        pipe = self.pipe
        if pipe is not None and pipe.alive:
            pipe.received += dropped
            pipe.drop(dropped)

    def tell_of_room(self) -> None:
        """Told: the connection has stopped reading. It wants to know of room, and there may be some already."""
        pipe = self.pipe
        if pipe is None:
            self.tell(self.back.room_there)
            return
        inbox = pipe.inbox
        inbox.resume_below = inbox.limit // 2  # as the reader has it
        inbox.source_waits = True
        inbox.taken()

    def resume(self) -> None:
        """See `Source`."""
        self.tell(self.back.room_there)

    # --- for the peer -------------------------------------------------------------------------------

    # On the path of every message.
    def wake(self) -> None:
        """See `Sink`."""
        runtime = self._socket.host.runtime
        if runtime.flusher.gathering or trio.current_time() - self._last_flush < IDLE:
            self.wake_later()
        else:
            self.flush()

    def wake_later(self) -> None:
        """See `Sink`."""
        pipe = self.pipe
        if pipe is not None and not pipe.sink_told:
            pipe.sink_told = True
            self._socket.host.runtime.flusher.add(self)

    def wants_more(self, now: float) -> bool:
        """See `Flushable`."""
        return False

    # On the path of every message.
    def flush(self) -> None:
        """See `Sink`. All goes over: there is room for all that was accepted."""
        pipe = self.pipe
        if pipe is None or not pipe.alive:
            return
        pipe.sink_told = False
        outbox, back = pipe.outbox, self.back
        if outbox.queue or outbox.tails:
            self._last_flush = trio.current_time()
            self.hand_over(pipe)
        self.look_for_room(pipe)
        if back.pipe is not None:
            pipe.shares_encoding = back.pipe.shares_encoding
        pipe.flushed()

    def hand_over(self, pipe: FrontPipe) -> None:
        """Let all go over that waits here."""
        outbox = pipe.outbox
        while outbox.queue or outbox.tails:
            items: Sequence[Item] = outbox.take(_ALL)[0]
            self._handed_over += len(items)
            self.tell(self.back.take_out, items, pipe.admissions)

    def look_for_room(self, pipe: FrontPipe) -> None:
        """Count what waits in the other half against the HWM; if there is no room, ask to be told of some."""
        gone = self.back.gone()
        pipe.outbox.set_unsent(self._handed_over - gone)
        if pipe.outbox.room() <= 0 and not self._asked_for_room:
            self._asked_for_room = self.tell(self.back.tell_of_room, gone)

    def withdraw(self, item: Item, pipe: FrontPipe) -> None:
        """Take back what was handed over, or have it be as if it had not left by a connection unknown to this run."""
        self._doubted_from = pipe.admissions + 1
        self._doubts += self.tell(self.back.withdraw, item, pipe.admissions)

    def withdrawn(self, void_through: int) -> None:
        """Told: it was; or a connection that is known here has it; or this one had it, and is ended."""
        self._doubts -= 1
        self._void_through = max(self._void_through, void_through)

    def drops_there(self) -> None:
        """Told: the other half has dropped messages."""
        self.drops_told = False  # before the look: what is dropped in between is told again
        pipe = self.pipe
        if pipe is not None and pipe.alive:
            self.count_drops(pipe)

    def count_drops(self, pipe: FrontPipe) -> None:
        """Count what was dropped in the other half."""
        pipe.drop(self.drops(pipe))

    def drops(self, pipe: FrontPipe) -> int:
        """What is to be counted as dropped there, as the pipe is emptied: all that has not left, if it has ended."""
        before, there = self._drops_counted, self.back.pipe
        if pipe.alive:
            self._drops_counted = 0 if there is None else there.dropped
        else:
            self._drops_counted = self._handed_over - self.back.left()
        return self._drops_counted - before

    def room_there(self) -> None:
        """Told: there may be room again."""
        self._asked_for_room = False
        pipe = self.pipe
        if pipe is not None and pipe.alive:
            self.look_for_room(pipe)
            pipe.room_made()

    def something_left(self) -> None:
        """Told: something has left that is waited for, or was dropped."""
        pipe = self.pipe
        if pipe is not None and pipe.alive:
            self.look_for_room(pipe)
            pipe.room_made()
            pipe.owner.drained(pipe)

    # --- the rest of the source ----------------------------------------------------------------------

    def _at_the_connection(self, method: str, error: Exception) -> None:
        pipe = self.pipe
        if pipe is not None:
            self.tell(self.back.at_the_connection, method, error, pipe.admissions)

    def hang_up(self, error: Exception) -> bool:
        """See `Source`."""
        self._at_the_connection("hang_up", error)
        return True

    def renew(self, error: Exception) -> None:
        """See `Source`."""
        self._at_the_connection("renew", error)

    def say_goodbye(self, error: Exception) -> None:
        """See `Source`."""
        self._at_the_connection("say_goodbye", error)

    def confirm(self) -> Confirmation:
        """See `Source`."""
        pipe = self.pipe
        if pipe is None or pipe.peer is None:
            return CONFIRMED
        self.flush()
        answer = Answer()
        self.tell(self.back.confirm, answer, pipe.admissions)
        return answer

    def answered(self, answer: Answer, settling: float) -> None:
        """Told: the peer has answered."""
        answer.settling = settling
        answer.done = True
        pipe = self.pipe
        if pipe is not None and pipe.alive:
            pipe.owner.drained(pipe)

    def lend(self) -> Loan | None:
        """See `Source`: the connection is another run's."""
        return None
