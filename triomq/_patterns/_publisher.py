"""PUB and XPUB: every message to every peer that wants it (RFC 29)."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import ClassVar

from .. import zmtp
from .._errors import RemoteProtocolError
from .._message import Frames
from .._options import Options
from .._pipes import Pipe, Received
from ._arrivals import Arrivals
from ._distributor import Distributor
from ._pattern import Budget, Receiver, Sender
from ._peer_topics import PeerTopics
from ._subscriptions import Subscriptions
from ._topics import LONGEST_TOPIC, SUBSCRIBE, split_subscriptions

_MOST_NOTICES = 10_000  # notices that wait for an XPUB's user before those that undo each other are dropped
_DIRECT_PER_MESSAGE = 16  # deliveries to one pipe each that use up one message of the turn
_FORGOTTEN_TOGETHER = 64  # topics of a peer that has left, before other tasks run: 0.2 ms
_SHARED_PER_MESSAGE = 128  # deliveries by a shared tail that do


class Publisher(Sender):
    """PUB: every message to every peer subscribed to a prefix of its first frame; dropped for a peer that is full."""

    wanted: ClassVar[tuple[type, ...]] = (tuple, zmtp.Subscribe, zmtp.Cancel)
    interprets = True
    never_refuses: ClassVar[bool] = True
    full_for_all: ClassVar[bool] = False  # with xpub_nodrop: full are those that want the message

    def __init__(self, options: Options, rng: random.Random, turn: Budget) -> None:
        super().__init__(options, rng, turn)
        self._subscriptions: Subscriptions[PeerTopics] = Subscriptions(attrgetter("pipe"))
        self._topics: dict[Pipe, PeerTopics] = {}
        self._distributor = Distributor()
        self._to_each = options.xpub_nodrop or options.invert_matching  # the audience may differ for each message

    # On the path of every message.
    def submit(self, message: Frames) -> bool:
        first = message[0] if type(message) is tuple else next(iter(message))  # of a `Message`, an index is slow
        if self._to_each:
            pipes = self.audience(first)
            if self.options.xpub_nodrop and not self._distributor.have_room(pipes):
                return False
            self._distributor.send(message, pipes)
            self.turn.left -= len(pipes) // _DIRECT_PER_MESSAGE
        elif audience := self._subscriptions.match(first):
            done = self._distributor.publish(message, audience)
            self.turn.left -= done // _DIRECT_PER_MESSAGE + len(audience) // _SHARED_PER_MESSAGE
        return True

    def would_accept(self, message: Frames) -> bool:
        return not self.options.xpub_nodrop or self._distributor.have_room(self.audience(message[0]))

    def audience(self, first_frame: bytes) -> list[Pipe]:
        """The pipes to which a message with this first frame would go."""
        pipes = self._subscriptions.match(first_frame)
        if self.options.invert_matching:
            unwanted = set(pipes)
            return [pipe for pipe in self.pipes if pipe.peer is not None and pipe not in unwanted]
        return pipes

    def interpret(self, pipe: Pipe, events: Sequence[Received]) -> list[Frames]:
        """Count subscriptions and cancellations; what else a subscriber says has no meaning for a PUB."""
        for event in events:
            if isinstance(event, zmtp.Subscribe):
                self._subscribe(pipe, event.topic)
            elif isinstance(event, zmtp.Cancel):
                self._cancel(pipe, event.topic)
            elif isinstance(event, tuple):
                self._interpret_message(pipe, event)
        return []

    def _interpret_message(self, pipe: Pipe, message: Frames) -> None:
        """Peers of ZMTP 3.0 subscribe by messages; like libzmq's XPUB, take each of several frames that do."""
        subscriptions, rest = split_subscriptions(message)
        for frame in subscriptions:
            if frame[:1] == SUBSCRIBE:
                self._subscribe(pipe, frame[1:])
            else:
                self._cancel(pipe, frame[1:])
        if rest:
            self._take_message(pipe, rest)

    def _subscribe(self, pipe: Pipe, topic: bytes) -> None:
        if pipe not in self.pipes:
            return  # disconnected: the pipe only sends what it has
        topics = self._topics.get(pipe)
        if topics is None:
            topics = self._topics[pipe] = PeerTopics(pipe, self.options)
        hang_up = pipe.inbox.source.hang_up  # which a peer of this program is not: the limits are for strangers
        if len(topic) > LONGEST_TOPIC:
            if hang_up(RemoteProtocolError(f"a topic of {len(topic)} bytes; {LONGEST_TOPIC} are allowed")):
                return
        if topic in topics:  # one cancellation undoes them all: libzmq's SUB repeats subscriptions, and cancels once
            self._tell_subscribed(topic, again=True)
            return
        excess = topics.add(topic)
        if excess is not None and hang_up(RemoteProtocolError(excess)):
            topics.remove(topic)
            return
        first = self._subscriptions.add(topic, topics)
        self._audience_changed()
        self._tell_subscribed(topic, first=first)

    def _cancel(self, pipe: Pipe, topic: bytes) -> None:
        topics = self._topics.get(pipe)
        if topics is None or topic not in topics:
            return
        topics.remove(topic)
        last = self._subscriptions.remove(topic, topics)
        assert last is not None
        self._audience_changed()
        self._tell_cancelled(topic, last)

    def _audience_changed(self) -> None:
        """Wake tasks that wait for subscribers, or for room at a peer that does not want the message any more."""
        self.watchers.wake()
        self.senders.wake()

    def _tell_subscribed(self, topic: bytes, *, first: bool = False, again: bool = False) -> None:
        """A peer has subscribed: as the ``first`` of them, or ``again`` though it was subscribed already."""

    def _tell_cancelled(self, topic: bytes, last: bool) -> None:
        """A peer has cancelled; for the last of them ``last`` is set."""

    def _take_message(self, pipe: Pipe, message: Frames) -> None:
        """A subscriber has sent a message of its own."""
        pipe.drop()

    def lost(self, pipe: Pipe) -> None:
        self._leave(pipe)
        pipe.discard()
        self.senders.wake()

    def removed(self, pipe: Pipe) -> None:
        self._leave(pipe)
        self.senders.wake()

    def _leave(self, pipe: Pipe) -> None:
        """Send the peer nothing more, from this moment on; what it was subscribed to is forgotten by and by."""
        topics = self._topics.pop(pipe, None)
        if topics is None:
            return
        left = topics.leave()
        self._subscriptions.forget_audiences()
        work = self._forget(topics, left)
        next(work, None)
        if len(left) > _FORGOTTEN_TOGETHER:
            self.chores.start(work)

    def _forget(self, subscriber: PeerTopics, topics: list[bytes]) -> Iterator[None]:
        """Forget, piece by piece, what a peer was subscribed to."""
        for start in range(0, len(topics), _FORGOTTEN_TOGETHER):
            some = topics[start : start + _FORGOTTEN_TOGETHER]
            lasts = dict(self._subscriptions.remove_many(sorted(some, reverse=True), subscriber))
            for topic in some:
                self._tell_cancelled(topic, lasts[topic])
            self._forgotten()
            yield

    def _forgotten(self) -> None:
        """Some topics of a peer that has left are forgotten."""


class XPublisher(Publisher, Receiver):
    """XPUB: a PUB whose user also receives the peers' subscriptions, and what else they send."""

    def __init__(self, options: Options, rng: random.Random, turn: Budget) -> None:
        super().__init__(options, rng, turn)
        self._arrivals = Arrivals(_MOST_NOTICES, options.max_subscription_bytes)

    def interpret(self, pipe: Pipe, events: Sequence[Received]) -> list[Frames]:
        """Put everything into one queue for all peers. Returns: nothing, as nothing waits for the peer's own turn."""
        Publisher.interpret(self, pipe, events)
        self.receivers.wake()
        return []

    def _forgotten(self) -> None:
        self.receivers.wake()

    def take(self) -> Frames | None:
        return self._arrivals.take()

    def peek(self) -> Frames | None:
        return self._arrivals.peek()

    def close(self) -> None:
        self._arrivals.clear()

    def _tell_subscribed(self, topic: bytes, *, first: bool = False, again: bool = False) -> None:
        options = self.options
        if first or (options.xpub_verboser and not again):
            self._arrivals.add_notice(topic, 1)
        elif options.xpub_verbose or options.xpub_verboser:
            self._arrivals.add_notice(topic, 0)

    def _tell_cancelled(self, topic: bytes, last: bool) -> None:
        if last or self.options.xpub_verboser:
            self._arrivals.add_notice(topic, -1)

    def _take_message(self, pipe: Pipe, message: Frames) -> None:
        self._arrivals.add_message(pipe, message)
