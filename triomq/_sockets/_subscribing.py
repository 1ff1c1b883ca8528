"""SUB and XSUB: the messages that were asked for (RFC 29)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, final

import trio

from .._advice import check_count, takes
from .._message import BytesLike, Message
from .._patterns import Pattern, Subscriber, XSubscriber, as_topic
from ._in_force import SubscriptionCheck
from ._receive_socket import ReceiveSocket
from ._send_socket import SendSocket
from ._shared import Shared


class _Subscribes(ReceiveSocket):
    """What SUB and XSUB share."""

    def __init__(self, shared: Shared, arguments: dict[str, Any]) -> None:
        super().__init__(shared, arguments)
        assert isinstance(self._pattern, Subscriber)
        self._subscriber: Subscriber = self._pattern

    @trio.lowlevel.enable_ki_protection
    async def wait_subscribed(self, n: int = 1) -> None:
        """Wait until at least ``n`` publishers have in force all that this socket is subscribed to now.

        From then on, a message that any of them publishes and that this socket wants is sent to it. This is what to do
        at the subscriber's end instead of sleeping; a later connection to the same publisher is another one.

        The publishers are asked by a PING behind the subscriptions, and their PONG. A publisher of ZMTP 3.0, as libzmq
        before 4.3.3, knows no PING: of that one it is only known that the subscriptions were written. Where a proxy
        stands between, the proxy is the publisher. While as many messages wait as ``receive_hwm`` says, nothing more is
        read, and so no answer: another task has to receive them.

        Cancellation: nothing has changed.
        Raises:
          TypeError: ``n`` is no int.
          ValueError: it is less than 1.
          trio.ClosedResourceError: the socket was closed, before or meanwhile.
        """
        check_count(f"{self.socket_type}.wait_subscribed: n, the number of publishers,", n, 1)
        self._check("wait_subscribed")
        await self._wait_in_force(SubscriptionCheck(self._peers.pipes, self._subscriber), n, "wait_subscribed")

    @trio.lowlevel.enable_ki_protection
    async def wait_peers(self, n: int = 1) -> None:
        """Wait until at least ``n`` publishers are there; with 0, until none is connected.

        A publisher is there when it is connected and has in force what this socket is subscribed to; see
        `wait_subscribed`. One that has sent as much as the queue holds is there as well.

        Cancellation: nothing has changed.
        Raises:
          TypeError: ``n`` is no int.
          ValueError: it is negative.
          trio.ClosedResourceError: the socket was closed, before or meanwhile.
        """
        if not n or not len(self._subscriber.topics):
            await super().wait_peers(n)
            return
        check_count(f"{self.socket_type}.wait_peers: n, the number of publishers,", n, 0)
        self._check("wait_peers")
        in_force = SubscriptionCheck(self._peers.pipes, self._subscriber, content_with_many=True)
        await self._wait_in_force(in_force, n, "wait_peers")

    async def _wait_in_force(self, in_force: SubscriptionCheck, n: int, what: str) -> None:
        in_force.look()  # before anything else: later subscriptions are not waited for
        await trio.lowlevel.checkpoint()
        while True:
            self._check(what)
            ready, answered = in_force.look()
            if ready >= n:
                return
            if ready + len(answered) < n:
                await self._peers.watchers.wait()
                continue
            with trio.move_on_after(max(answered.values())):
                while any(answered.values()):
                    await self._peers.watchers.wait()
                    self._check(what)
            in_force.settle(answered)


@final
class SUB(_Subscribes):
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
        if not isinstance(topics, Iterable):
            raise TypeError(f"topics= takes a list of topics, such as ['news'], not {topics!r}")
        wanted = [as_topic(topic) for topic in topics]
        super().__init__(shared, arguments)
        for topic in wanted:
            self._subscriber.subscribe(topic)

    @takes("subscribe('topic') takes one topic; b'' is every message")
    @trio.lowlevel.enable_ki_protection
    def subscribe(self, topic: BytesLike | str) -> None:
        """Receive messages whose first frame begins with ``topic``; ``b""`` is every message.

        Subscriptions are counted: two to one topic take two `unsubscribe`.
        """
        self._check("subscribe")
        self._subscriber.subscribe(as_topic(topic))

    @takes("unsubscribe('topic') takes one topic")
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
class XSUB(SendSocket, _Subscribes, trio.abc.Channel[Message]):
    """A SUB whose subscriptions are messages sent: ``01`` or ``00`` and the topic. Others go to every publisher.

    Of a message of several frames, each that it begins with may be a subscription or a cancellation; what follows them
    is a message to every publisher. `send` raises `ValueError` for a topic of more than 65,536 bytes.

    Never waits: for a publisher whose queue is full a message is dropped and counted.
    """

    socket_type: ClassVar[str] = "XSUB"
    _pattern_class: ClassVar[type[Pattern]] = XSubscriber
