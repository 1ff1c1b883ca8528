"""SUB and XSUB: the messages that were asked for (RFC 29)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self, final

import trio

from .. import zmtp
from .._message import BytesLike, Frames, Message
from .._options import Options, make_options
from .._patterns import Distributor, TopicFilter, as_topic
from .._pipes import Event, Pipe
from .._runtime import Runtime
from ._receiving import ReceiveSocket
from ._sending import SendSocket


class SubscribeSide(ReceiveSocket):
    """What SUB and XSUB share: subscriptions that every publisher is told, now and whenever it is new."""

    _interprets = True

    def __init__(self, runtime: Runtime, options: Options) -> None:
        super().__init__(runtime, options)
        self._filter = TopicFilter()

    def _add_topic(self, topic: bytes) -> None:
        self._filter.add(topic)
        for pipe in self._pipes:  # each time: a verbose XPUB, behind however many proxies, is to know
            pipe.control(zmtp.Subscribe(topic))

    def _remove_topic(self, topic: bytes) -> bool:
        last = self._filter.remove(topic)
        if last:
            for pipe in self._pipes:
                pipe.control(zmtp.Cancel(topic))
        return last is not None

    def _peer_ready(self, pipe: Pipe) -> None:
        super()._peer_ready(pipe)
        for topic in self._filter:
            pipe.control(zmtp.Subscribe(topic))

    def _interpret(self, pipe: Pipe, events: list[Event]) -> list[Message]:
        """Filter once more: a publisher may not know yet what was cancelled, or not filter at all."""
        topics, matches, inverted = self._filter.few, self._filter.matches, self._options.invert_matching
        if topics is not None:
            return [message for message in events if message[0].startswith(topics) is not inverted]
        return [message for message in events if matches(message[0]) is not inverted]


@final
class SUB(SubscribeSide):
    """Receives, from all of its publishers in turn, the messages whose first frame begins with a subscribed topic.

    Args (to `Context.socket`):
      topics: what to subscribe to from the start.
    """

    socket_type: ClassVar[str] = "SUB"

    def __init__(self, runtime: Runtime, options: Options, topics: Iterable[BytesLike | str] = ()) -> None:
        super().__init__(runtime, options)
        if isinstance(topics, (str, bytes, bytearray, memoryview)):
            raise TypeError(f"topics= takes several topics, such as [{topics!r}], not one")
        for topic in topics:
            self.subscribe(topic)

    @classmethod
    def _make(cls, runtime: Runtime, arguments: dict[str, Any]) -> Self:
        topics = arguments.pop("topics", ())
        return cls(runtime, make_options(cls.socket_type, arguments), topics)

    @trio.lowlevel.enable_ki_protection
    def subscribe(self, topic: BytesLike | str) -> None:
        """Receive messages whose first frame begins with ``topic``; ``b""`` is every message.

        Subscriptions are counted: two to one topic take two `unsubscribe`.
        """
        self._check("subscribe")
        self._add_topic(as_topic(topic))

    @trio.lowlevel.enable_ki_protection
    def unsubscribe(self, topic: BytesLike | str) -> None:
        """Take back one `subscribe`. Messages that have arrived already are still received.

        Raises:
          ValueError: there is no such subscription.
        """
        self._check("unsubscribe")
        if not self._remove_topic(as_topic(topic)):
            raise ValueError(f"SUB.unsubscribe: not subscribed to {topic!r}; subscriptions are {list(self._filter)!r}")


@final
class XSUB(SubscribeSide, SendSocket, trio.abc.Channel[Message]):
    """A SUB whose subscriptions are messages sent: ``01`` or ``00`` and the topic. Others go to every publisher.

    Never waits: for a publisher whose queue is full a message is dropped and counted.
    """

    socket_type: ClassVar[str] = "XSUB"

    def __init__(self, runtime: Runtime, options: Options) -> None:
        super().__init__(runtime, options)
        self._distributor = Distributor()

    def _submit(self, message: Frames) -> bool:
        head, topic = message[0][:1], message[0][1:]
        if head == b"\1":
            self._add_topic(topic)
        elif head == b"\0":
            self._remove_topic(topic)
        else:
            self._distributor.send(message, [pipe for pipe in self._pipes if pipe.peer is not None])
        return True
