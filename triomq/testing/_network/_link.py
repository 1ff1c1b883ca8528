"""One direction of a connection: a kernel's send queue, the wire, the other kernel's receive window.

Theory of operation

A stream puts what it is given into the link's queue, which is as large as the send buffer. Bytes leave the queue in
segments, as far as the `Window` allows. Where nothing goes wrong, a segment that arrives is acknowledged there and
then, and costs nothing more.

When a segment does not arrive (a partition, a dead host, chance), the link *recovers*. The segment is held, and so are
those that fly behind it: they wait at their target for what is missing. If one of these arrives, its acknowledgement
tells of the gap, and all that is held is sent again at once. If none does, a timer tries again, with Linux's growing
pauses. After its second try nothing new leaves, but is held as well. So nothing but an acknowledgement starts the
pauses over: neither what the program writes meanwhile, nor the healing of the network, nor what the peer sends.

When a segment arrives and only its acknowledgement is lost, the timer runs too. After `give_up` seconds the sender's
stream breaks; a stream that the program has closed is given up sooner.
"""

from __future__ import annotations

from collections import deque
from typing import Literal, final

import trio

from ._path import Path
from ._patience import ORPHANS_GIVE_UP, pause_before
from ._prober import Prober
from ._segment import WORDS, End, Segment, Word
from ._window import Window
from ._wire import Wire
from ._world import World


@final
class Link:
    """The way from one stream to the other.

    Args:
      path: what all links from that host to the other share.
      number: of the connection.
      send_buffer: bytes that wait to be sent, at the most.
      window: bytes on their way or unread, at the most.

    Attributes:
      wire: what lies between.
      keeps_alive: the sender's kernel asks an idle peer whether it lives, and so wants `heard_at`.
      heard_at: when the sender last heard from its peer.
    """

    __slots__ = (
        "_alone", "_boots", "_ending", "_flight", "_flying", "_held", "_mending", "_over", "_prober", "_queue",
        "_send_buffer", "_silent_since", "_source", "_target", "_timer", "_timer_number", "_tries", "_unheard",
        "_window", "heard_at", "keeps_alive", "wire",
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
        self.wire: Wire = Wire(world, path, back, number)
        self.keeps_alive: bool = False
        self.heard_at: float = trio.current_time()
        self._boots = source.host.boots
        self._source = source
        self._target = target
        self._send_buffer = send_buffer
        self._queue = bytearray()
        self._window = Window(world.agenda, window, self._ask_path)
        self._prober = Prober(self.wire, source, self, self._ask_path)
        self._ending: Literal["", "due", "sent"] = ""
        self._over = False  # nothing is sent any more
        self._flying: deque[Segment] = deque()  # the segments on the wire
        self._flight = 0  # goes up when those are held instead: their arrivals are void then
        self._held: deque[Segment] | None = None  # the segments to be sent again; None while nothing is lost
        self._unheard: deque[Segment] = deque()  # the segments that have arrived, their acknowledgements lost
        self._alone = False  # the oldest of the segments to be sent again flies, without the others
        self._mending = False  # the agenda has an entry that will send again what is held
        self._silent_since: float | None = None  # since when acknowledgements are missing
        self._tries = 0  # how many times the timer has rung since then
        self._timer = False  # the agenda has an entry that will try again
        self._timer_number = 0  # goes up when that entry is void

    def _ask_path(self) -> None:
        self.wire.path.ask(self)

    # --- what the sender does -------------------------------------------------------------

    def room(self) -> int:
        """Bytes that `push` would take now."""
        return self._send_buffer - len(self._queue)

    def push(self, data: bytes) -> None:
        """Queue bytes; no more than there is room for."""
        self._queue += data
        self.wire.path.ask(self)

    def finish(self) -> None:
        """Queue the end of the stream behind the bytes."""
        if not self._ending:
            self._ending = "due"
            self.wire.path.ask(self)

    def say(self, word: Word) -> None:
        """Send what is not sent again if it is lost."""
        if not self.is_over:
            self.wire.carry(0, self._word_arrives, word)

    def probe(self) -> None:
        """Ask the peer for a word."""
        self.wire.record("probe sent")
        self.say("probe")

    def reset(self, why: str) -> None:
        """Send a RST: it overtakes what is queued, and is not sent again if it is lost."""
        self.abandon()
        self.wire.record("reset sent", text=why)
        self.wire.carry(0, self._reset_arrives)

    def abandon(self) -> None:
        """Send nothing more, ever. What is on the wire arrives, unless something before it is lost."""
        self._over = True
        self._ending = "sent"
        self._queue.clear()
        self._unheard.clear()
        self._gather()
        self._held = None

    @property
    def is_over(self) -> bool:
        """Whether nothing is sent any more, ever."""
        return self._over or self._source.host.boots != self._boots

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits to be sent or acknowledged."""
        return not (self._queue or self._flying or self._held or self._unheard)

    @property
    def is_recovering(self) -> bool:
        """Whether acknowledgements are missing."""
        return self._silent_since is not None

    # --- the window -----------------------------------------------------------------------

    def consumed(self, size: int) -> bool:
        """The receiver has read bytes. Returns: whether the sender waited for that, and is dead."""
        if self.is_over:
            return not self._window.credit
        if self.wire.answers():
            self._window.give_back(size, trio.current_time() + self.wire.back.settings.latency)
            self._await_word()
        else:
            self._window.keep_back(size)
        return False

    def _await_word(self) -> None:
        if self._queue and not self._window.credit:
            self._window.await_word()

    def has_room(self) -> bool:
        """Whether the sender knows of room at the receiver."""
        return self._window.update(trio.current_time()) > 0

    def ready(self) -> bool:
        """Whether a segment may leave now. If only the window is missing, the path is asked again when it opens."""
        if self._source.host.boots != self._boots:
            self.abandon()  # a closed stream's last bytes die with their kernel
        if self._ending == "sent":
            return False
        if not self._queue:
            return self._ending == "due"
        if self.has_room():
            self._prober.end()
            return True
        if not self._window.await_word():
            self._prober.begin()
        return False

    # --- the wire -------------------------------------------------------------------------

    def transmit(self) -> int:
        """Let one segment leave; only if `ready`. Returns: its bytes."""
        if not self._queue:
            self._ending = "sent"
            self._leave(Segment("end"))
            return 0
        size = min(len(self._queue), self._window.credit, self.wire.path.settings.segment_size)
        size = self.wire.cut(size)
        data = bytes(self._queue[:size])
        del self._queue[:size]
        self._window.credit -= size
        self._leave(Segment("data", data))
        self._source.room_made()
        return size

    def _leave(self, segment: Segment) -> None:
        self.wire.record("sent" if segment.kind == "data" else "end sent", segment)
        timed_out = self._tries > 1 and not self._flying  # a kernel that has timed out sends nothing new
        if self._held is not None and (timed_out or self._alone):
            self._held.append(segment)
        else:
            self._fly(segment)

    def _fly(self, segment: Segment) -> None:
        self._flying.append(segment)
        self.wire.carry(len(segment.data), self._arrive, self._flight)

    def _arrive(self, flight: int, lost: bool) -> None:
        if flight != self._flight:
            return
        segment = self._flying.popleft()
        arrives = not lost and self.wire.passes()
        if self._held is not None and not self._alone:
            self._held.append(segment)
            if arrives and self.wire.answers():
                self._mend_soon()
            return
        self._alone = False
        if not arrives:
            self.wire.record("lost", segment)
            self._hold(segment)
            return
        self.wire.record("delivered" if segment.kind == "data" else "end delivered", segment)
        if not self._target.arrive(segment):
            self._hold(segment)  # the reset may be lost: then the timer asks for another
        elif self.wire.answers():
            self._acknowledged()
        else:
            self._unheard.append(segment)
            self._start_timer()

    def _acknowledged(self) -> None:
        """Everything that has arrived is acknowledged."""
        if self.keeps_alive or self._window.untold:
            self._learn()
        if self._silent_since is not None:
            self._unheard.clear()
            self._silent_since = None
            self._tries = 0
            self._timer_number += 1
            self._timer = False
            if self._held is not None and not self.is_over:
                self._resume()

    def _learn(self) -> None:
        """A word of the peer's kernel comes back."""
        self.heard_at = trio.current_time() + self.wire.back.settings.latency
        self._prober.answered()
        if self._window.untold:
            self._window.tell(self.heard_at)
            self._await_word()

    def heard(self) -> None:
        """Something has come from the peer: it acknowledges what has arrived there, and tells of the window."""
        if self.keeps_alive:
            self.heard_at = trio.current_time()
        if self._unheard:
            self._acknowledged()
        elif self._window.untold:
            self._learn()

    def _word_arrives(self, word: Word, lost: bool) -> None:
        if lost or not self.wire.passes():
            self.wire.record("lost", text=WORDS[word])
        elif self._target.hear(word) and word == "probe" and self.wire.answers():
            self._learn()

    def _reset_arrives(self, lost: bool) -> None:
        if not lost and self.wire.passes():
            self._target.fall("reset delivered", "the peer reset the connection")

    # --- recovering -----------------------------------------------------------------------

    def _hold(self, segment: Segment) -> None:
        """The oldest segment on the wire is lost."""
        if self.is_over:  # nobody sends the segment again: what flies behind it waits at the target for ever
            self._flying.clear()
            self._flight += 1
        else:
            self._held = self._held or deque()
            self._held.appendleft(segment)
            self._start_timer()

    def _mend_soon(self) -> None:
        """An acknowledgement that tells of the gap is on its way to the sender."""
        if not self._mending:
            self._mending = True
            self.wire.plan(trio.current_time() + self.wire.back.settings.latency, self._mend, self._flight)

    def _mend(self, flight: int) -> None:
        if flight == self._flight and self._held is not None and not self.is_over:
            self._resume()

    def _start_timer(self) -> None:
        """Try again after a pause. A timer that runs already goes on: only an acknowledgement starts it over."""
        now = trio.current_time()
        since = self._silent_since
        if since is None:
            since = self._silent_since = now = now - self.wire.path.settings.latency  # the pause began with the sending
        if not self._timer:
            self._timer = True
            patience = self.wire.path.settings.give_up
            if self._source.is_orphan:
                patience = min(patience, ORPHANS_GIVE_UP)
            last = since + patience
            due = min(now + pause_before(self._tries, self.wire.round_trip), last)
            self.wire.plan(due, self._ring, self._timer_number, last)

    def _ring(self, number: int, last: float) -> None:
        if number != self._timer_number or self.is_over:
            return
        if trio.current_time() >= last:
            self._source.fall("timed out", "no answer from the peer's host")
            return
        self._timer = False
        self._tries += 1
        self._start_timer()
        self._gather()
        if self._unheard or not self.wire.passes():
            self._try_in_vain()
        elif self._held and not self.wire.back.is_open():
            self._alone = True
            self._send_again(self._held.popleft())
        else:
            self._resume()

    def _try_in_vain(self) -> None:
        """Send the oldest segment again, although it has arrived before or will not arrive."""
        self.wire.record("tried again", (self._unheard or self._held or (None,))[0])
        if self._held is None and self._tries > 1:
            self._held = deque()
        if self._unheard and self.wire.passes() and not self.wire.chance(self.wire.path.settings.loss):
            if self._target.hear("probe") and self.wire.answers():
                self._acknowledged()

    def _gather(self) -> None:
        """Hold what flies, if something before it is lost."""
        if self._held is not None:
            first, then = (self._flying, self._held) if self._alone else (self._held, self._flying)
            self._held = deque((*first, *then))
            self._flying.clear()
            self._flight += 1
        self._mending = self._alone = False

    def _resume(self) -> None:
        """Send everything that is held."""
        self._gather()
        held, self._held = self._held, None
        for segment in held or ():
            self._send_again(segment)

    def _send_again(self, segment: Segment) -> None:
        self.wire.record("sent again", segment)
        self._fly(segment)
