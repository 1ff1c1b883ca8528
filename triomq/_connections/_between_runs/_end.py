"""One socket's end of a link to a socket of another trio run.

Theory of operation

What is sent waits in the outbox until the end of the turn, or goes at once where nothing went lately. It goes as one
batch: a list of the messages themselves, and one call for the other side's mailbox. There the batch is delivered to the
inbox. So a message costs each run what it costs over ``inproc`` in one run, and the lock, the wake-up and the change of
threads are paid for by batches.

    run A  send ── outbox ── End.flush ──► mailbox of B ──► End.take_in ── inbox ── receive  run B

The outbox may hold as much as both sides' HWMs together, less what the other side has not received. How much that is
each side *reads* off the other: how many messages were delivered, and how long the inbox is. Both are read without a
lock. Read in this order they may tell of less room than there is, by what was received in between, and never of more.
Only a sender that has found no room says so by the mailbox, and is told by the mailbox when there is some.

A stream is gathered for several turns, and room is told of for all that was received in several: the module
``_taking_turns`` says why. A message by itself goes at once.

Where the two queues conflate, the module ``_held`` says what is done.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import trio

from ..._events import Connected, Disconnected
from ..._pipes import UNCONNECTED, Confirmation, Inbox, LinkedPipe, Loan, Received
from ..._runtime import Gathering
from .._by_name import conflation, succeeded, summed
from .._timers import IDLE
from ._held import Held
from ._taking_turns import TOGETHER

if TYPE_CHECKING:
    from ..._options import Options
    from ...zmtp import Item, PeerInfo
    from .._carrier import PeerHost
    from ._carrier import SharedCarrier

_BATCH: Final = 2048  # messages in one call of the other run
_MANY: Final = 32  # messages in one turn; from this many on, the next turn probably brings more


class End(ABC):
    """What both ends of a link do alike; the source of this side's inbox, and the sink of its pipe.

    A method whose docstring begins with "Told" is called by the other side, by way of this side's mailbox.

    Args:
      carrier: of this side's context.
      carrier_there: of the other side's.

    Attributes:
      there: the other end, while this one is open.
      delivered: messages that were put into the inbox here so far. The other side reads it.
      open: the link has not ended for this side.
      joined: this side has admitted the other.
      receives: both of that, now: what the other side sends is taken in.
    """

    there: End

    def __init__(self, carrier: SharedCarrier, carrier_there: SharedCarrier) -> None:
        self.carrier: SharedCarrier = carrier
        self.carrier_there: SharedCarrier = carrier_there
        self.delivered: int = 0
        self.open: bool = True
        self.joined: bool = False
        self.receives: bool = False
        self._handed_over = 0  # messages, so far
        self._held: Held | None = None  # where what is sent from here conflates
        self._asked = False  # the other side, to tell when it has room
        self._dropped_there = False  # messages, when the other side had no room
        self._gathering = Gathering()
        self._streams = False  # the last batch was one of many, or room for more was waited for
        self._gather_until = -math.inf  # time; what is sent before it waits for the end of the turn

    @property
    @abstractmethod
    def host(self) -> PeerHost:
        """The socket on this side."""

    @property
    @abstractmethod
    def pipe(self) -> LinkedPipe:
        """The pipe of that socket."""

    @property
    def inbox(self) -> Inbox:
        """The inbox here, of which the other side reads the length."""
        return self.pipe.inbox

    def tell(self, method: Callable[..., object], *arguments: object) -> bool:
        """Have a method of the other end called. Returns: False if that run is gone, of which `lost` is told."""
        return self.carrier_there.mailbox.put(partial(method, *arguments))

    # --- joining and parting ------------------------------------------------------------------

    def join(self, theirs: PeerInfo, their_options: Options) -> None:
        """This side has admitted the other: agree on limits, and begin to send."""
        pipe, ours, endpoint = self.pipe, self.host.options, self.pipe.endpoint
        self.joined = self.receives = True
        topics, conflate = conflation(ours, their_options)
        if conflate:
            self._held = Held(topics, conflate)
        pipe.renew_outbox(math.inf if conflate else summed(ours.send_limit, their_options.receive_limit))
        inbox = pipe.inbox
        topics, conflate = conflation(their_options, ours)
        if conflate or inbox.conflates:
            waiting = list(inbox.queue)
            inbox.renew_queue(topics, conflate)
            pipe.drop(inbox.put(waiting))
        inbox.limit = math.inf if conflate else summed(their_options.send_limit, ours.receive_limit)
        inbox.source = pipe.sink = self
        self.host.emit(Connected(endpoint=endpoint, address=endpoint))
        self.host.emit(succeeded(endpoint, theirs, self.host.peer_at(pipe)))
        self.flush()

    def part(self, error: Exception | None) -> None:
        """The link has ended for this side."""
        self.open = self.receives = False
        self.carrier.registry.unlink(self)
        del self.there
        if self.joined:
            pipe = self.pipe
            if self._held is not None:
                items, count, _ = self._held.take()
                self._put_back(items, count)
            pipe.sink = pipe.inbox.source = UNCONNECTED
            pipe.sink_told = True
            pipe.inbox.source_waits = False
            peer = self.host.peer_at(pipe)
            self.host.emit(Disconnected(endpoint=pipe.endpoint, address=pipe.endpoint, error=error, peer=peer))

    def leave(self, error: Exception | None) -> None:
        """End the link, and tell the other side; what was accepted here and there goes before that."""
        if self.joined and not self.host.closing:
            self.carrier.mailbox.make_now()  # what has come is still received
        if not self.open:
            return
        if self.joined:
            self._hand_over(all_of_it=True)
        self.tell(self.there.lost, error)
        self.lost(error)

    def put_off(self, call: Callable[[], None]) -> None:  # noqa: B027  # the other side has admitted this one first
        """What the other side told now is for when this side `receives`; if it never will again, for nobody."""

    @abstractmethod
    def lost(self, error: Exception | None) -> None:
        """Told: the other side has ended the link, or its run has ended."""

    # --- messages -----------------------------------------------------------------------------

    # On the path of every message.
    def wake(self) -> None:
        """See `Sink`."""
        if self.host.runtime.flusher.gathering or trio.current_time() < self._gather_until:
            self.wake_later()
        else:
            self.flush()

    def wake_later(self) -> None:
        """See `Sink`."""
        pipe = self.pipe
        if not pipe.sink_told:
            pipe.sink_told = True
            self.host.runtime.flusher.add(self)

    def wants_more(self, now: float) -> bool:
        """See `Flushable`: a stream is gathered while it goes on, unless what finds no room is dropped."""
        pipe = self.pipe
        queued = len(pipe.outbox.queue) if self.open and self._held is None and not pipe.dropped else 0
        if queued < _MANY and not self._streams:
            return False
        return self._gathering.goes_on(queued, now, TOGETHER if 0 < queued < _BATCH else 0.0)

    # On the path of every message.
    def flush(self) -> None:
        """See `Sink`. All goes over: there is room on the other side for all that was accepted."""
        if not self.open:
            return
        pipe = self.pipe
        pipe.sink_told = False
        if pipe.outbox.queue or self._held is not None:
            self._expect(more=len(pipe.outbox.queue) >= _MANY)
            self._hand_over()
        if pipe.outbox.limit <= 0:
            self._look_for_room()
        pipe.flushed()

    def _expect(self, *, more: bool) -> None:
        self._streams = more
        self._gather_until = trio.current_time() + (max(TOGETHER, IDLE) if more else IDLE)

    # On the path of every message.
    def _hand_over(self, *, all_of_it: bool = False) -> None:
        """Hand over what is queued; unless ``all_of_it`` is to go, only one batch at a time if it conflates."""
        pipe, held = self.pipe, self._held
        outbox = pipe.outbox
        while outbox.queue:
            items, _ = outbox.take(_BATCH)
            count = outbox.count_left(items)
            pipe.sent += count
            batch = list(items)
            if held is not None:
                held.add(batch)
            elif not self.tell(self.there.take_in, batch, count):
                self._put_back(batch, count)
                return
            else:
                self._handed_over += count
                outbox.set_unsent(outbox.unsent + count)
        if held is not None and (all_of_it or not held.under_way):
            batch, count, dropped = held.take()
            if batch:
                held.under_way = True
                if not self.tell(self.there.take_in, batch, count, dropped):
                    self._put_back(batch, count)

    def _put_back(self, items: Sequence[Item], messages: int) -> None:
        """These were not handed over, for the other run is gone: they wait for the next peer, if there may be one."""
        self.pipe.sent -= messages
        self.pipe.restore([item for item in items if isinstance(item, tuple)])

    # On the path of every message.
    def take_in(self, items: Sequence[Received], count: int, dropped: int = 0) -> None:
        """Told: take in messages, of which there are ``count``, and subscriptions.

        Args:
          dropped: messages that were conflated on the way.
        """
        if not self.receives:
            self.put_off(partial(self.take_in, items, count, dropped))
            return
        if count != len(items):
            items = [item for item in items if isinstance(item, self.host.wanted)]
        pipe = self.pipe
        if dropped:
            pipe.received += dropped
            pipe.drop(dropped)
        if items:
            pipe.deliver(items)
        self.delivered += count  # only now: until then there seems to be less room than there is
        if pipe.inbox.conflates:
            self.tell(self.there.taken_in)

    def taken_in(self) -> None:
        """Told: the batch has been taken in that was under way."""
        if self._held is not None:
            self._held.under_way = False
        self.flush()

    # --- room ---------------------------------------------------------------------------------

    def _look_for_room(self) -> None:
        there, outbox = self.there, self.pipe.outbox
        delivered = there.delivered  # before the length: what is delivered in between is then counted twice
        outbox.set_unsent(self._handed_over - delivered + len(there.inbox.queue))
        if outbox.limit <= 0 and not self._asked:
            self._asked = self.tell(there.tell_of_room, self.pipe.dropped > 0)

    def tell_of_room(self, drops: bool) -> None:
        """Told: the other side has found no room, and wants to know when there is some; there may be some already.

        Args:
          drops: it drops messages meanwhile, and does not wait.
        """
        if not self.receives:
            self.put_off(partial(self.tell_of_room, drops))
            return
        self._dropped_there = drops
        inbox = self.pipe.inbox
        if inbox.is_full:
            inbox.source_waits = True
        else:
            self.resume()

    def resume(self) -> None:
        """See `Source`."""
        self.host.runtime.flusher.add(_RoomMade(self, 0.0 if self._dropped_there else TOGETHER))

    def room_there(self) -> None:
        """Told: the other side has room again."""
        self._asked = False
        if self.open:
            self._expect(more=True)
            self._look_for_room()
            self.pipe.room_made()

    # --- the source of the inbox --------------------------------------------------------------

    def hang_up(self, error: Exception) -> bool:
        """See `Source`: the peer is a socket of this program."""
        return False

    def renew(self, error: Exception) -> None:
        """See `Source`."""
        self.leave(error)

    def say_goodbye(self, error: Exception) -> None:
        """See `Source`: what was sent goes first."""
        self.leave(error)

    def confirm(self) -> Confirmation:
        """See `Source`."""
        self._hand_over(all_of_it=True)
        answer = _Answer()
        self.tell(self.there.asked, answer)
        return answer

    def asked(self, answer: _Answer) -> None:
        """Told: the other side wants to know that all before this was taken in."""
        if not self.receives:
            self.put_off(partial(self.asked, answer))
            return
        self.tell(self.there.answered, answer)

    def answered(self, answer: _Answer) -> None:
        """Told: the answer to that question."""
        answer.done = True
        if self.open:
            self.pipe.owner.drained(self.pipe)

    def lend(self) -> Loan | None:
        """See `Source`: there is no connection to read."""
        return None


class _Answer:
    """See `Confirmation`; subscriptions are in force as soon as they are taken in."""

    __slots__ = ("done",)

    settling: Final = 0.0

    def __init__(self) -> None:
        self.done: bool = False


class _RoomMade:
    """Tells the other side of room in the inbox: for all that is received in a turn, or in several that go on.

    It is a `Flushable`.

    Args:
      longest: seconds to go on for when half of the inbox is empty.
    """

    __slots__ = ("_end", "_gathering", "_longest")

    def __init__(self, end: End, longest: float) -> None:
        self._end = end
        self._longest = longest
        self._gathering = Gathering()

    def wants_more(self, now: float) -> bool:
        """See `Flushable`: the task that receives goes on, and the other side would only fill the rest up."""
        inbox = self._end.pipe.inbox
        length = len(inbox.queue)
        longest = math.inf if length > inbox.limit / 2 else self._longest if length else 0.0
        return self._gathering.goes_on(length, now, longest)

    def flush(self) -> None:
        """See `Flushable`."""
        end = self._end
        if end.open:
            end.tell(end.there.room_there)
