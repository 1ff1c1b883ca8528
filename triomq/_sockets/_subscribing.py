"""SUB and XSUB: the messages that were asked for (RFC 29)."""

from __future__ import annotations

from typing import Any, ClassVar, final

import trio

from .._message import BytesLike, Message
from .._patterns import Pattern, Subscriber, XSubscriber, as_topic
from ._receive_socket import ReceiveSocket
from ._send_socket import SendSocket
from ._shared import Shared


@final
class SUB(ReceiveSocket):
    """Receives, from all of its publishers in turn, the messages whose first frame begins with a subscribed topic.

    Args (to `Context.socket`):
      topics: what to subscribe to from the start.
    """

    socket_type: ClassVar[str] = "SUB"
    _pattern_class: ClassVar[type[Pattern]] = Subscriber

    def __init__(self, shared: Shared, arguments: dict[str, Any]) -> None:
        topics = arguments.pop("topics", ())
        if isinstance(topics, (str, bytes, bytearray, memoryview)):
            raise TypeError(f"topics= takes several topics, such as [{topics!r}], not one")
        wanted = [as_topic(topic) for topic in topics]
        super().__init__(shared, arguments)
        assert isinstance(self._pattern, Subscriber)
        self._subscriber: Subscriber = self._pattern
        for topic in wanted:
            self._subscriber.subscribe(topic)

    @trio.lowlevel.enable_ki_protection
    def subscribe(self, topic: BytesLike | str) -> None:
        """Receive messages whose first frame begins with ``topic``; ``b""`` is every message.

        Subscriptions are counted: two to one topic take two `unsubscribe`.
        """
        self._check("subscribe")
        self._subscriber.subscribe(as_topic(topic))

    @trio.lowlevel.enable_ki_protection
    def unsubscribe(self, topic: BytesLike | str) -> None:
        """Take back one `subscribe`. Messages that have arrived already are still received.

        Raises:
          ValueError: there is no such subscription.
        """
        self._check("unsubscribe")
        if not self._subscriber.unsubscribe(as_topic(topic)):
            topics = list(self._subscriber.topics)
            raise ValueError(f"SUB.unsubscribe: not subscribed to {topic!r}; subscriptions are {topics!r}")


@final
class XSUB(SendSocket, ReceiveSocket, trio.abc.Channel[Message]):
    """A SUB whose subscriptions are messages sent: ``01`` or ``00`` and the topic. Others go to every publisher.

    Of a message of several frames, each that it begins with may be a subscription or a cancellation; what follows them
    is a message to every publisher. `send` raises `ValueError` for a topic of more than 65,536 octets.

    Never waits: for a publisher whose queue is full a message is dropped and counted.
    """

    socket_type: ClassVar[str] = "XSUB"
    _pattern_class: ClassVar[type[Pattern]] = XSubscriber
