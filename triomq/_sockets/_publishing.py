"""PUB and XPUB: every message to every peer that wants it (RFC 29)."""

from __future__ import annotations

from typing import ClassVar, final

import trio

from .. import zmtp
from .._message import BytesLike, Message
from .._options import Options
from .._pipe import Event, Pipe
from .._routing import Distributor, Subscriptions
from .._runtime import Runtime
from ._receiving import ReceiveSide
from ._sending import SendSide
from ._topics import as_topic

_PIPES_PER_MESSAGE = 16  # deliveries that count as one message of a slice


class PublishSide(SendSide):
    """What PUB and XPUB share: the peers' subscriptions, and sending by them."""

    _session_events: tuple[type, ...] = (Message, zmtp.Subscribe, zmtp.Cancel)
    _has_ingress = True

    def __init__(self, runtime: Runtime, options: Options) -> None:
        super().__init__(runtime, options)
        self._subscriptions: Subscriptions[Pipe] = Subscriptions()
        self._topics: dict[Pipe, dict[bytes, None]] = {}  # of each peer, to forget them with it
        self._distributor = Distributor()

    async def wait_subscribers(self, topic: BytesLike | str, n: int = 1) -> None:
        """Wait until a message whose first frame is ``topic`` would go to at least ``n`` peers.

        This is what to do instead of sleeping before the first message.

        Raises:
          trio.ClosedResourceError: the socket was closed, before or meanwhile.
        """
        first_frame = as_topic(topic)
        await self._wait_until(lambda: len(self._wanting(first_frame)) >= n, "wait_subscribers")

    # On the path of every message.
    def _submit(self, message: Message) -> bool:
        pipes = self._wanting(message[0])
        if pipes:
            if self._options.xpub_nodrop and not self._distributor.have_room(pipes):
                return False
            self._distributor.send(message, pipes)
            self._slice.left -= len(pipes) // _PIPES_PER_MESSAGE
        return True

    def _wanting(self, first_frame: bytes) -> list[Pipe]:
        pipes = self._subscriptions.match(first_frame)
        if self._options.invert_matching:
            unwanted = set(pipes)
            return [pipe for pipe in self._pipes if pipe.peer is not None and pipe not in unwanted]
        return pipes

    def _ingress(self, pipe: Pipe, events: list[Event]) -> list[Message]:
        """Count subscriptions and cancellations; what else a subscriber says has no meaning for a PUB."""
        told: list[Message] = []
        for event in events:
            if type(event) is zmtp.Subscribe:
                self._subscribe(pipe, event.topic, told)
            elif type(event) is zmtp.Cancel:
                self._cancel(pipe, event.topic, told)
            elif event[0][:1] == b"\1":  # as ZMTP 3.0 subscribes
                self._subscribe(pipe, event[0][1:], told)
            elif event[0][:1] == b"\0":
                self._cancel(pipe, event[0][1:], told)
            else:
                self._take_message(pipe, event, told)
        return told

    def _subscribe(self, pipe: Pipe, topic: bytes, told: list[Message]) -> None:
        first = self._subscriptions.add(topic, pipe)
        self._topics.setdefault(pipe, {})[topic] = None
        self._changed.unpark_all()
        self._tell_subscribed(topic, first, told)

    def _cancel(self, pipe: Pipe, topic: bytes, told: list[Message]) -> None:
        last = self._subscriptions.remove(topic, pipe)
        if last is None:
            return
        if not self._subscriptions.count(topic, pipe):
            del self._topics[pipe][topic]
        self._tell_cancelled(topic, last, told)

    def _tell_subscribed(self, topic: bytes, first: bool, told: list[Message]) -> None:
        """A peer has subscribed; for the first of them ``first`` is set."""

    def _tell_cancelled(self, topic: bytes, last: bool, told: list[Message]) -> None:
        """A peer has cancelled; for the last of them ``last`` is set."""

    def _take_message(self, pipe: Pipe, message: Message, told: list[Message]) -> None:
        """A subscriber has sent a message of its own."""
        pipe.dropped += 1

    def _peer_lost(self, pipe: Pipe) -> None:
        told: list[Message] = []
        for topic in self._topics.pop(pipe, {}):
            if last := self._subscriptions.remove(topic, pipe, all_of_them=True):
                self._tell_cancelled(topic, last, told)
        if told:
            pipe.inbox.extend(told)
            if not pipe.listed:
                self._pipe_readable(pipe)
        pipe.discard()
        super()._peer_lost(pipe)
        if self._senders:
            self._serve_senders()


@final
class PUB(PublishSide):
    """Sends each message to every peer subscribed to a prefix of its first frame.

    Never waits: for a peer whose queue is full the message is dropped, for that peer only, and counted.
    """

    socket_type: ClassVar[str] = "PUB"


@final
class XPUB(PublishSide, ReceiveSide, trio.abc.Channel[Message]):
    """A PUB that also receives its peers' subscriptions: ``01`` or ``00`` and the topic, and what else they send.

    Only the first subscription to a topic and the last cancellation are received, unless ``xpub_verbose`` or
    ``xpub_verboser`` is set.
    """

    socket_type: ClassVar[str] = "XPUB"

    def _tell_subscribed(self, topic: bytes, first: bool, told: list[Message]) -> None:
        if first or self._options.xpub_verbose or self._options.xpub_verboser:
            told.append(Message([b"\1" + topic]))

    def _tell_cancelled(self, topic: bytes, last: bool, told: list[Message]) -> None:
        if last or self._options.xpub_verboser:
            told.append(Message([b"\0" + topic]))

    def _take_message(self, pipe: Pipe, message: Message, told: list[Message]) -> None:
        told.append(message)
