"""PUB and XPUB: every message to every peer that wants it (RFC 29)."""

from __future__ import annotations

from typing import ClassVar, final

import trio

from .._advice import TIME_LIMIT, check_count, takes
from .._message import BytesLike, Message
from .._patterns import Pattern, Publisher, XPublisher, as_topic
from ._receive_socket import ReceiveSocket
from ._send_socket import SendSocket


class _Publishes(SendSocket):
    """What PUB and XPUB share."""

    @takes(f"wait_subscribers(topic, n=1) takes a topic and a number of peers; {TIME_LIMIT}")
    async def wait_subscribers(self, topic: BytesLike | str, n: int = 1) -> None:
        """Wait until a message whose first frame is ``topic`` would go to at least ``n`` peers; with 0, to none.

        This is what to do instead of sleeping before the first message.

        Cancellation: nothing has changed.
        Raises:
          TypeError: ``n`` is no int.
          ValueError: it is negative.
          trio.ClosedResourceError: the socket was closed, before or meanwhile.
        """
        first_frame, pattern = as_topic(topic), self._pattern
        assert isinstance(pattern, Publisher)
        check_count(f"{self.socket_type}.wait_subscribers: n, the number of peers,", n, 0)

        def enough() -> bool:
            audience = len(pattern.audience(first_frame))
            return audience >= n if n else not audience

        await self._wait_until(enough, "wait_subscribers")


@final
class PUB(_Publishes):
    """Sends each message to every peer subscribed to a prefix of its first frame.

    Never waits: for a peer whose queue is full the message is dropped, for that peer only, and counted.
    """

    socket_type: ClassVar[str] = "PUB"
    _pattern_class: ClassVar[type[Pattern]] = Publisher


@final
class XPUB(_Publishes, ReceiveSocket, trio.abc.Channel[Message]):
    """A PUB that also receives its peers' subscriptions: ``01`` or ``00`` and the topic, and what else they send.

    Only the first subscription to a topic and the last cancellation are received, unless ``xpub_verbose`` or
    ``xpub_verboser`` is set.
    """

    socket_type: ClassVar[str] = "XPUB"
    _pattern_class: ClassVar[type[Pattern]] = XPublisher
