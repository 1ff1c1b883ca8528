"""The I/O run's half of a pipe: the pipe that a connection writes from and reads into."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from .._errors import PeerUnwantedError
from .._message import Frames
from .._patterns import Receiver, Subscriber
from .._pipes import Confirmation, Inbox, Outbox, Pipe, QueuedPipe, Received, TopicQueue, size_of
from ..zmtp import Item

if TYPE_CHECKING:
    from ._back import BackPeers
    from ._front_link import Answer, FrontLink

_MOST_UNDER_WAY: Final = 1000
"""what a peer says to a socket that receives no messages, before the user's run has taken it in"""


class BackLink:
    """The I/O run's half of a pipe; the owner of the pipe that a connection knows.

    What a connection delivers goes over to the user's run at once. What the user's run has handed over waits here
    until the connection takes it. All methods are called in the I/O run, the user's run by `IoRun.tell`; the counters
    are read from both.

    Attributes:
      front: the other half.
      pipe: there is one from when the carrier has made it, always the same, until both halves are done with it.
      over: items of the peer's that went over to the user's run, so far.
      withdrawn: messages that were taken back here.
      greetings: messages that were not handed over, but made here for new peers.
    """

    front: FrontLink

    def __init__(self, peers: BackPeers) -> None:
        self.interprets: bool = True
        self.pipe: QueuedPipe | None = None
        self.over: int = 0
        self.withdrawn: int = 0
        self.greetings: int = 0
        self._peers = peers
        self._void_through = -1  # what was handed over with so many admissions, or fewer, is for nobody
        self._filter: Subscriber | None = None
        self._newest: deque[Frames] | TopicQueue[Frames] | None = None  # of a peer, where the inbox conflates
        self._under_way = False  # newest messages, which the user's run has not taken in
        self._questions: dict[Answer, Confirmation] = {}

    def take_pipe(self, pipe: QueuedPipe) -> None:
        """Be the half of this pipe, from before its first use."""
        self.pipe = pipe
        pipe.owner = self
        options, pattern = self._peers.options, self._peers.double
        pipe.outbox = BackOutbox(self, options.send_limit, conflate=options.conflate)
        receives = isinstance(pattern, Receiver)
        limit = options.receive_limit if receives and not options.conflate else _MOST_UNDER_WAY
        if options.conflate and receives:
            limit = math.inf
            topics = TopicQueue[Frames](options.receive_limit)
            self._newest = topics if options.conflate == "topics" else deque(maxlen=1)
            self._filter = pattern if isinstance(pattern, Subscriber) else None
        pipe.inbox = BackInbox(self, limit)

    def gone(self) -> int:
        """Messages that were handed over and do not wait here any more. Read from the user's run, too."""
        pipe = self.pipe
        return 0 if pipe is None else self.left() + pipe.dropped

    def left(self) -> int:
        """Messages that were handed over, and have left, or were taken back. Read from the user's run, too."""
        pipe = self.pipe
        return 0 if pipe is None else pipe.sent + self.withdrawn - self.greetings

    def void(self) -> None:
        """What was handed over for the peers until now is for nobody."""
        if self.pipe is not None:
            self._void_through = self.pipe.admissions

    # --- from the peer ----------------------------------------------------------------------------

    # On the path of every message.
    def interpret(self, pipe: Pipe, events: Sequence[Received]) -> list[Frames]:
        """See `PipeOwner`: let it go over to the user's run."""
        if self._newest is not None:
            self._conflate(pipe, events)
        else:
            self.over += len(events)
            io = self._peers.io
            size = sum(size_of(one) for one in events if isinstance(one, tuple)) if io.front.bounds.counts_bytes else 0
            io.bytes_over += size
            self._peers.post(partial(self.front.take_in, list(events), size))
        return []

    def receive_lone(self, pipe: Pipe, message: Frames) -> None:
        """See `PipeOwner`: nobody waits in this run."""

    def too_many_bytes(self) -> bool:
        """As many bytes wait in the context as may, those that are under way included."""
        io = self._peers.io
        bounds, delivered = io.front.bounds, io.bytes_delivered  # before what waits: there may seem to be more
        return bounds.counts_bytes and io.bytes_over - delivered + bounds.bytes_waiting >= bounds.max_queued_bytes

    def _conflate(self, pipe: Pipe, events: Sequence[Received]) -> None:
        newest = self._newest
        assert newest is not None
        if self._filter is not None:
            messages = self._filter.interpret(pipe, events)
        else:
            messages = [event for event in events if isinstance(event, tuple)]
        before = len(newest) + len(messages)
        newest.extend(messages)
        if dropped := before - len(newest):
            self._peers.post(partial(self.front.conflated, dropped, len(messages)))
        self._let_newest_go()

    def _let_newest_go(self) -> None:
        if self._newest and not self._under_way:
            messages = list(self._newest)
            self._newest.clear()
            self._under_way = True
            self.over += len(messages)
            self._peers.post(partial(self.front.take_in, messages, 0))

    def ask_for_room(self) -> None:
        """The connection has found no room in the inbox."""
        self._peers.post(self.front.tell_of_room)

    def taken_in(self) -> None:
        """Told: the newest messages were taken in."""
        self._under_way = False
        self._let_newest_go()

    def room_there(self) -> None:
        """Told: there is room in the user's inbox again."""
        pipe = self.pipe
        if pipe is not None and pipe.inbox.source_waits:
            pipe.inbox.source_waits = False
            pipe.inbox.source.resume()

    # --- for the peer -----------------------------------------------------------------------------

    # On the path of every message.
    def take_out(self, items: Sequence[Item], admissions: int) -> None:
        """Told: these are for the peer.

        Args:
          admissions: of the pipe, as far as the user's run knew.
        """
        pipe = self.pipe
        if pipe is None:
            return  # the endpoint was closed before it began
        if not pipe.alive or admissions <= self._void_through:
            pipe.drop(len(items))
            self.drained(pipe)
        else:
            pipe.send_many_nowait(items)

    def withdraw(self, item: Item, admissions: int) -> None:
        """Told: take this message back.

        If it does not wait here any more, it may have left by a connection of which the user's run did not know. Then
        that connection ends: an answer to this message is not wanted there.

        Args:
          admissions: of the pipe, as far as the user's run knew.
        """
        pipe, void_through = self.pipe, 0
        if pipe is not None:
            if not (withdrawn := pipe.withdraw(item)) and pipe.peer is not None and pipe.admissions > admissions:
                pipe.inbox.source.renew(PeerUnwantedError("a message to this peer was taken back"))
                withdrawn, void_through = pipe.withdraw(item), pipe.admissions  # it may have been half written
            self.withdrawn += withdrawn
            if withdrawn:
                self.drained(pipe)
        self._peers.post(partial(self.front.withdrawn, void_through))

    def tell_of_room(self, gone: int) -> None:
        """Told: the user's run has found no room, when so many messages were gone; it is to be told of some."""
        pipe = self.pipe
        if pipe is None or self.gone() != gone or not pipe.messages_queued():
            self._peers.post(self.front.room_there)
        else:
            pipe.owner_waits = True

    def tell_what_left(self, sent: int) -> None:
        """Told: the user's run waits for so many messages to have left, or for controls."""
        pipe = self.pipe
        if pipe is None or (pipe.has_sent(sent) and pipe.has_sent_controls()):
            self._peers.post(self.front.something_left)

    def retire(self) -> None:
        """Told: nothing new comes for the peer."""
        if self.pipe is not None and self.pipe.alive:
            self._peers.retire_pipe(self.pipe)
            self.drained(self.pipe)

    def restore(self) -> None:
        """Told: the pipe is not retired any more."""
        if self.pipe is not None and self.pipe.alive:
            self._peers.restore_pipe(self.pipe)

    def at_the_connection(self, method: str, error: Exception, admissions: int) -> None:
        """Told: do this to the connection, if it is the one that was meant."""
        pipe = self.pipe
        if pipe is not None and pipe.admissions == admissions:
            getattr(pipe.inbox.source, method)(error)

    def confirm(self, answer: Answer, admissions: int) -> None:
        """Told: ask the peer whether it has taken in all that was queued for it."""

        async def ask() -> None:
            pipe, double = self.pipe, self._peers.double
            while pipe is not None and pipe.peer is not None and pipe.admissions == admissions:
                if not isinstance(double, Subscriber) or double.has_told(pipe):
                    self._questions[answer] = pipe.inbox.source.confirm()
                    self._look_for_answers()
                    return
                await self._peers.watchers.wait()

        self._peers.tasks.start(ask, name="triomq question")

    def _look_for_answers(self) -> None:
        for answer, question in list(self._questions.items()):
            if question.done:
                del self._questions[answer]
                self._peers.post(partial(self.front.answered, answer, question.settling))

    def forget(self) -> None:
        """Told: the user's run knows that the peer is gone for good, and what was counted."""
        self.pipe = None

    # --- the owner of the pipe ----------------------------------------------------------------------

    def readable(self, pipe: Pipe) -> None:
        """See `PipeOwner`: nothing stays in this inbox."""

    def writable(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""
        self._peers.post(self.front.room_there)

    def drained(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""
        self._look_for_answers()
        self._peers.watchers.wake()
        self._peers.post(self.front.something_left)

    def dropped(self, pipe: Pipe, count: int) -> None:
        """See `PipeOwner`: the user's run reads the counter, and is told once before it does."""
        front = self.front
        if not front.drops_told:
            front.drops_told = True
            self._peers.post(front.drops_there)

    def noteworthy(self, pipe: Pipe) -> None:
        """See `PipeOwner`: the user's half says so."""

    def ended(self) -> None:
        """The peer's connection has ended: it answers no question any more."""
        self._questions.clear()


class BackOutbox(Outbox):
    """What the user's run has handed over: it has counted the room for it.

    Attributes:
      link: whose outbox this is, when the pipe has no owner any more.
    """

    __slots__ = ("link",)

    def __init__(self, link: BackLink, topics: float, *, conflate: bool | str) -> None:
        super().__init__(topics if conflate else math.inf, conflate=conflate)
        self.link: BackLink = link

    def clear(self) -> int:
        """See `Outbox`; so is what is under way to here."""
        self.link.void()
        return super().clear()


class BackInbox(Inbox):
    """Stands for the inbox of the user's run, together with what is under way there."""

    __slots__ = ("_link", "_waits")

    def __init__(self, link: BackLink, limit: float) -> None:
        self._link = link
        self._waits = False
        super().__init__(limit)
        self.limit = limit
        self.queue = UnderWay(link)  # type: ignore[assignment]

    @property
    def is_full(self) -> bool:
        """See `Inbox`."""
        waiting = len(self.queue)
        return waiting >= self.limit or (waiting > 0 and self._link.too_many_bytes())

    @property
    def source_waits(self) -> bool:
        """See `Inbox`; the user's run is told of it."""
        return self._waits

    @source_waits.setter
    def source_waits(self, waits: bool) -> None:
        asks = waits and not self._waits
        self._waits = waits
        if asks:
            self._link.ask_for_room()


class UnderWay:
    """What went over to the user's run and was not received there: no more than its length is known here."""

    __slots__ = ("_link",)

    def __init__(self, link: BackLink) -> None:
        self._link = link

    def __len__(self) -> int:
        link = self._link
        front = link.front
        delivered = front.delivered  # before the length: what is delivered in between is then counted twice
        return link.over - delivered + front.waiting()

    def __iter__(self) -> Iterator[Frames]:
        return iter(())

    def clear(self) -> None:
        """It is the user's run that forgets what waits there."""
