"""PUB and XPUB: every message to every peer that wants it (RFC 29)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, final

import trio

from .. import zmtp
from .._errors import RemoteProtocolError
from .._message import BytesLike, Frames, Message
from .._options import Options
from .._patterns import Arrivals, Distributor, Subscriptions, as_topic
from .._pipes import Event, Pipe
from .._runtime import Runtime
from ._receiving import ReceiveSocket
from ._sending import SendSocket

_LONGEST_TOPIC = 64 * 1024  # as in a SUBSCRIBE command; ZMTP 3.0 subscribes by messages, which may have any size
_MOST_TOPICS = 100_000  # for one peer that comes by a connection; with
_MOST_OCTETS = 64 * 1024 * 1024  # in them all together
_MOST_NOTICES = 10_000  # unread, or octets in them as above, before those that undo each other are forgotten
_PIPES_PER_MESSAGE = 16  # deliveries, each by itself, that count as one message of a slice;
_SHARED_PER_MESSAGE = 128  # or of which no more is to be done than to write them, at their time


class PeerTopics:
    """What one peer is subscribed to: to forget it with the peer, and to bound what a peer can make us remember."""

    def __init__(self) -> None:
        self._topics: dict[bytes, None] = {}
        self._octets: int = 0

    def add(self, topic: bytes) -> bool:
        """Note a topic that is not noted yet. Returns: False if that was more than a peer may have."""
        self._topics[topic] = None
        self._octets += len(topic)
        return len(self._topics) <= _MOST_TOPICS and self._octets <= _MOST_OCTETS

    def remove(self, topic: bytes) -> None:
        """Forget a topic that was noted."""
        del self._topics[topic]
        self._octets -= len(topic)

    def __contains__(self, topic: bytes) -> bool:
        return topic in self._topics

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._topics)


class PublishSide(SendSocket):
    """What PUB and XPUB share: the peers' subscriptions, and sending by them."""

    _session_events: tuple[type, ...] = (Message, zmtp.Subscribe, zmtp.Cancel)
    _interprets = True
    _never_refuses = True
    _full_for_all = False  # with xpub_nodrop: full are those who want the message

    def __init__(self, runtime: Runtime, options: Options) -> None:
        super().__init__(runtime, options)
        self._subscriptions: Subscriptions[Pipe] = Subscriptions()
        self._topics: dict[Pipe, PeerTopics] = {}
        self._distributor = Distributor()
        self._to_each = options.xpub_nodrop or options.invert_matching  # who gets it is another matter each time

    async def wait_subscribers(self, topic: BytesLike | str, n: int = 1) -> None:
        """Wait until a message whose first frame is ``topic`` would go to at least ``n`` peers.

        This is what to do instead of sleeping before the first message.

        Raises:
          trio.ClosedResourceError: the socket was closed, before or meanwhile.
        """
        first_frame = as_topic(topic)
        await self._wait_until(lambda: len(self._wanting(first_frame)) >= n, "wait_subscribers")

    # On the path of every message.
    def _submit(self, message: Frames) -> bool:
        if self._to_each:
            pipes = self._wanting(message[0])
            if self._options.xpub_nodrop and not self._distributor.have_room(pipes):
                return False
            self._distributor.send(message, pipes)
            self._turn.left -= len(pipes) // _PIPES_PER_MESSAGE
        elif audience := self._subscriptions.match(message[0]):
            done = self._distributor.publish(message, audience)
            self._turn.left -= done // _PIPES_PER_MESSAGE + len(audience) // _SHARED_PER_MESSAGE
        return True

    def _would_accept(self, message: Frames) -> bool:
        return not self._options.xpub_nodrop or self._distributor.have_room(self._wanting(message[0]))

    def _wanting(self, first_frame: bytes) -> list[Pipe]:
        pipes = self._subscriptions.match(first_frame)
        if self._options.invert_matching:
            unwanted = set(pipes)
            return [pipe for pipe in self._pipes if pipe.peer is not None and pipe not in unwanted]
        return pipes

    def _interpret(self, pipe: Pipe, events: list[Event]) -> list[Message]:
        """Count subscriptions and cancellations; what else a subscriber says has no meaning for a PUB."""
        for event in events:
            if type(event) is zmtp.Subscribe:
                self._subscribe(pipe, event.topic)
            elif type(event) is zmtp.Cancel:
                self._cancel(pipe, event.topic)
            elif event[0][:1] == b"\1":  # as ZMTP 3.0 subscribes
                self._subscribe(pipe, event[0][1:])
            elif event[0][:1] == b"\0":
                self._cancel(pipe, event[0][1:])
            else:
                self._take_message(pipe, event)
        return []

    def _subscribe(self, pipe: Pipe, topic: bytes) -> None:
        topics = self._topics.get(pipe)
        if topics is None:
            topics = self._topics[pipe] = PeerTopics()
        if pipe.hang_up is not None and len(topic) > _LONGEST_TOPIC:
            pipe.hang_up(RemoteProtocolError(f"a topic of {len(topic)} octets; {_LONGEST_TOPIC} are allowed"))
            return
        if topic in topics:  # one cancellation undoes them all: libzmq's SUB repeats subscriptions, and cancels once
            self._tell_subscribed(topic, again=True)
            return
        if not topics.add(topic) and pipe.hang_up is not None:
            text = f"subscribed to more than {_MOST_TOPICS} topics, or than {_MOST_OCTETS} octets of them"
            pipe.hang_up(RemoteProtocolError(text))
            return
        first = self._subscriptions.add(topic, pipe)
        self._wanted_changed()
        self._tell_subscribed(topic, first=first)

    def _cancel(self, pipe: Pipe, topic: bytes) -> None:
        last = self._subscriptions.remove(topic, pipe)
        if last is None:
            return
        self._topics[pipe].remove(topic)
        self._wanted_changed()
        self._tell_cancelled(topic, last)

    def _wanted_changed(self) -> None:
        """Wake who waits for subscribers, or for room in the queue of one who does not want the message any more."""
        self._changed.unpark_all()
        self._wake_senders()

    def _tell_subscribed(self, topic: bytes, *, first: bool = False, again: bool = False) -> None:
        """A peer has subscribed: as the ``first`` of them, or ``again`` though it was subscribed already."""

    def _tell_cancelled(self, topic: bytes, last: bool) -> None:
        """A peer has cancelled; for the last of them ``last`` is set."""

    def _take_message(self, pipe: Pipe, message: Message) -> None:
        """A subscriber has sent a message of its own."""
        pipe.dropped += 1

    def _peer_lost(self, pipe: Pipe) -> None:
        for topic in self._topics.pop(pipe, ()):
            last = self._subscriptions.remove(topic, pipe, all_of_them=True)
            if last is not None:
                self._tell_cancelled(topic, last)
        pipe.discard()
        super()._peer_lost(pipe)
        self._wake_senders()


@final
class PUB(PublishSide):
    """Sends each message to every peer subscribed to a prefix of its first frame.

    Never waits: for a peer whose queue is full the message is dropped, for that peer only, and counted.
    """

    socket_type: ClassVar[str] = "PUB"


@final
class XPUB(PublishSide, ReceiveSocket, trio.abc.Channel[Message]):
    """A PUB that also receives its peers' subscriptions: ``01`` or ``00`` and the topic, and what else they send.

    Only the first subscription to a topic and the last cancellation are received, unless ``xpub_verbose`` or
    ``xpub_verboser`` is set.
    """

    socket_type: ClassVar[str] = "XPUB"

    def __init__(self, runtime: Runtime, options: Options) -> None:
        super().__init__(runtime, options)
        self._arrivals = Arrivals(_MOST_NOTICES, _MOST_OCTETS)

    def _interpret(self, pipe: Pipe, events: list[Event]) -> list[Message]:
        """Put everything into one queue for all peers. Returns: nothing, as nothing waits for the peer's own turn."""
        super()._interpret(pipe, events)
        self._wake_receivers()
        return []

    def _peer_lost(self, pipe: Pipe) -> None:
        super()._peer_lost(pipe)
        self._wake_receivers()

    def _take(self) -> Message | None:
        return self._arrivals.take()

    _take_many = ReceiveSocket._take_each

    def _peek(self) -> Message | None:
        return self._arrivals.peek()

    def _tell_subscribed(self, topic: bytes, *, first: bool = False, again: bool = False) -> None:
        options = self._options
        if first or (options.xpub_verboser and not again):
            self._arrivals.add_notice(topic, 1)
        elif options.xpub_verbose or options.xpub_verboser:
            self._arrivals.add_notice(topic, 0)

    def _tell_cancelled(self, topic: bytes, last: bool) -> None:
        if last or self._options.xpub_verboser:
            self._arrivals.add_notice(topic, -1)

    def _take_message(self, pipe: Pipe, message: Message) -> None:
        self._arrivals.add_message(pipe, message)

    def _wake_all_closed(self) -> None:
        super()._wake_all_closed()
        self._arrivals.clear()
