"""What a socket type does with messages: which pipe, and which message is the user's.

Theory of operation

A pattern is the synchronous half of a socket type. It owns the socket's pipes, answers at once, and never waits: the
socket has the tasks. Three things happen to a pattern:

* peers come and go: `Pattern.admit`, `added`, `ready`, `lost`, `removed`, in this order for one pipe;
* pipes have news: `interpret`, `readable`, `writable`;
* the user calls: `Sender.submit` and its relatives, `Receiver.take` and its relatives.

When a call that had to wait may be possible now, the pattern wakes the tasks that wait: its ``senders``,
``receivers`` or ``watchers``.

No method here calls its base class's: what a pattern overrides, it replaces.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import ClassVar, Protocol

from .._message import Frames
from .._options import Options
from .._pipes import Inbox, Pipe, Received


class Budget(Protocol):
    """The turn of the running task."""

    left: int
    """How many messages may still go before other tasks run."""


class Waiting(Protocol):
    """Tasks of the socket that wait in one kind of call."""

    def wake(self) -> None:
        """The call that they wait in may be possible now."""


class _NobodyWaits:
    """The tasks of a socket that is closed, or has no such call."""

    def wake(self) -> None:
        """There is nobody to wake."""


NOBODY_WAITS: Waiting = _NobodyWaits()


class Notes(Protocol):
    """Who tells of what a person may want to know."""

    def add(self, pipe: Pipe) -> None:
        """Look at the pipe: it is full, has room again, or begins to lose messages."""

    def add_unroutable(self, routing_id: bytes) -> None:
        """A message was dropped: nobody has the routing id that it was for."""


class _NobodyTells:
    """Stands for the socket of a pattern that is not made yet."""

    def add(self, pipe: Pipe) -> None:
        """There is nobody to tell."""

    def add_unroutable(self, routing_id: bytes) -> None:
        """There is nobody to tell."""


NOBODY_TELLS: Notes = _NobodyTells()


def _no_double(method: Callable[..., object], *arguments: object) -> None:
    """There is no double."""


class LoneInbox(Protocol):
    """Knows whether a single inbox has messages."""

    lone: Inbox | None


class _NoLoneInbox:
    """Stands for a pattern that makes something else of what has arrived."""

    lone: Inbox | None = None


NO_LONE_INBOX: LoneInbox = _NoLoneInbox()


class Chores(Protocol):
    """Where work goes that would hold the loop for too long, were it done in one go."""

    def start(self, work: Iterator[None]) -> None:
        """Do the work piece by piece: it yields after each, and other tasks have their turns."""


class _AtOnce:
    """Does the work of a pattern whose socket is not made yet."""

    def start(self, work: Iterator[None]) -> None:
        """Do it all."""
        for _ in work:
            pass


AT_ONCE: Chores = _AtOnce()


class Pattern:
    """The rules of one socket type for its peers; also the owner of their pipes (`PipeOwner`).

    Args:
      options: of the socket.
      rng: where routing ids and request ids begin.
      turn: what costly work is counted against.

    Attributes:
      routing_id: the name to announce to the peers of connections that are yet to be made.
      pipes: those that may be sent to, in the order in which they were added.
      dropped_messages: all that the pipes dropped so far, and the messages that were for no pipe.
      senders, receivers: the tasks that wait to send and to receive.
      watchers: the tasks that wait for peers, for subscriptions, or for a queue to be sent.
      chores: takes work that is long.
      notes: tells of pipes that are full or lose messages.
      repeat: has a method of this class called for the pattern's double as well, if there is one: where peers are
        answered elsewhere, while this pattern's program is busy. For what the user says that peers are told.
    """

    wanted: ClassVar[tuple[type, ...]] = (tuple,)
    """The classes of what a peer sends that `interpret` takes; a connection leaves out the rest."""
    has_one_peer: ClassVar[bool] = False
    """Of two connections to one endpoint the second would find its place taken."""
    frames_put_before: ClassVar[int] = 0
    """The user receives so many frames more than a peer sends."""
    interprets: bool = False
    """What a peer sent is not simply what the user may receive: `interpret` is asked."""

    def __init__(self, options: Options, rng: random.Random, turn: Budget) -> None:
        self.options: Options = options
        self.turn: Budget = turn
        self.routing_id: bytes = options.routing_id
        self.pipes: dict[Pipe, None] = {}
        self.dropped_messages: int = 0
        self.senders: Waiting = NOBODY_WAITS
        self.receivers: Waiting = NOBODY_WAITS
        self.watchers: Waiting = NOBODY_WAITS
        self.chores: Chores = AT_ONCE
        self.notes: Notes = NOBODY_TELLS
        self.repeat: Callable[..., None] = _no_double

    def begin_repeating(self, repeating: Callable[..., None]) -> None:
        """There is a double from now on. What holds now is repeated at once; see ``repeat``."""
        self.repeat = repeating

    # --- peers ----------------------------------------------------------------------------

    def check_endpoint(self, connected: Collection[str]) -> None:
        """The socket is about to bind or to connect.

        Args:
          connected: the endpoints that the socket is connected to already.
        Raises:
          WrongStateError: this type has no use for one more endpoint.
        """

    def check_connect(self) -> None:
        """The socket is about to connect.

        Raises:
          WrongStateError: this type has its peer already.
        """

    def disconnected(self, endpoint: str) -> None:
        """The socket is connected to this endpoint no longer."""

    def admit(self, pipe: Pipe) -> None:
        """A peer is ready at the pipe, which `added` may not have seen yet.

        Raises:
          PeerUnwantedError: this socket has no use for the peer, as long as the others stay.
        """

    def added(self, pipe: Pipe) -> None:
        """The pipe may be sent to from now on, even if its peer is yet to come."""

    def ready(self, pipe: Pipe) -> None:
        """The pipe's peer is connected now."""

    def lost(self, pipe: Pipe) -> None:
        """The pipe's peer is gone; it may come back."""

    def removed(self, pipe: Pipe) -> None:
        """The pipe is not to be sent to any more."""

    def close(self) -> None:
        """The socket is closed: forget what has arrived."""

    # --- what pipes tell ------------------------------------------------------------------

    def interpret(self, pipe: Pipe, events: Sequence[Received]) -> Sequence[Frames]:
        """See `PipeOwner`; only called where ``interprets``."""
        return [event for event in events if isinstance(event, tuple)]

    def receive_lone(self, pipe: Pipe, message: Frames) -> Frames | None:
        """See `PipeOwner`."""
        return None

    def readable(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""

    def writable(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""
        self.senders.wake()

    def drained(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""
        self.watchers.wake()

    def dropped(self, pipe: Pipe, count: int) -> None:
        """See `PipeOwner`."""
        self.dropped_messages += count

    def noteworthy(self, pipe: Pipe) -> None:
        """See `PipeOwner`."""
        self.notes.add(pipe)


class Sender(Pattern, ABC):
    """A pattern that sends.

    Attributes:
      only: the pipe that `submit` would hand any message to, as it is; None where it has to choose, or to change the
        message. The pipe may be full. It saves the path of a message two calls.
    """

    full_for_all: ClassVar[bool] = True
    """No room for one message is no room for all: nobody may overtake a sender that waits."""
    frames_added: ClassVar[int] = 0
    """Frames that are sent beside those of the user's message."""
    never_refuses: ClassVar[bool] = False
    """`submit` takes any message at any time, unlike that of REQ, REP and ROUTER; a proxy's capture must."""

    def __init__(self, options: Options, rng: random.Random, turn: Budget) -> None:
        super().__init__(options, rng, turn)
        self.only: Pipe | None = None

    @abstractmethod
    def submit(self, message: Frames) -> bool:
        """Queue the message for a peer, or drop it as the socket type does.

        Returns: False if there is no room; then the senders are woken when there may be.
        Raises: what ``send`` raises for a message that this socket cannot send now.
        """

    def submit_function(self) -> Callable[[Frames], bool]:
        """What does the work of `submit`: `submit` itself, or what it only passes its message on to.

        The call in between would cost every message 2 to 3 % of its way.
        """
        return self.submit

    def can_submit(self) -> bool:
        """Whether `submit` would accept some message now; if not, the senders are woken."""
        return True

    def would_accept(self, message: Frames) -> bool:
        """Whether `submit` would accept this message now; if not, the senders are woken when it may."""
        return self.can_submit()

    def room_for_many(self) -> float:
        """How many messages `submit_many` would accept now; 0 or 1 where it is better to submit each."""
        return 0

    def submit_many(self, messages: Sequence[Frames]) -> None:
        """Queue no more messages than `room_for_many` has just told there is room for."""
        for message in messages:
            self.submit(message)

    def room_to_forward(self) -> float:
        """How many messages `forward` would take now, whatever they are; 0 or 1 where it is better to submit each."""
        return self.room_for_many()

    def forward(self, messages: Sequence[Frames]) -> int:
        """Queue what a proxy moves: no more messages than `room_to_forward` has just told.

        Returns: how many of them `submit` would have raised an error for; they are dropped.
        """
        self.submit_many(messages)
        return 0


class Receiver(Pattern, ABC):
    """A pattern that receives."""

    @abstractmethod
    def take(self) -> Frames | None:
        """The next message for the user, not made a `Message` yet; None when there is none."""

    def take_function(self) -> Callable[[], Frames | None]:
        """What does the work of `take`; see `Sender.submit_function`."""
        return self.take

    def lone_inbox(self) -> LoneInbox:
        """Tells whether a single inbox has what `take` would take: see `FairQueue.lone`."""
        return NO_LONE_INBOX

    @property
    def takes_as_it_is(self) -> bool:
        """What peers send is received in turn, whatever was received or sent before."""
        return self.lone_inbox() is not NO_LONE_INBOX

    def take_many(self, most: int) -> list[Frames]:
        """The next messages for the user, up to ``most``; none when there are none."""
        messages: list[Frames] = []
        while len(messages) < most and (message := self.take()) is not None:
            messages.append(message)
        return messages

    @abstractmethod
    def peek(self) -> Frames | None:
        """The message that `take` would return."""

    def refused(self) -> None:
        """The message that was taken last could not be passed on: nobody will answer it."""
