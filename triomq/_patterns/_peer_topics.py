"""What one peer of a publisher is subscribed to."""

from __future__ import annotations

from .._options import Options
from .._pipes import Pipe


class PeerTopics:
    """What one peer is subscribed to: to forget it with the peer, and to bound what a peer can make us remember.

    Args:
      options: of the socket: ``max_subscriptions`` and ``max_subscription_bytes`` are the bounds.

    Attributes:
      pipe: of the peer; None when the peer has left, and its topics are being forgotten.
    """

    def __init__(self, pipe: Pipe, options: Options) -> None:
        self.pipe: Pipe | None = pipe
        self._topics: dict[bytes, None] = {}
        self._size: int = 0
        self._options = options

    def add(self, topic: bytes) -> str | None:
        """Note a topic that is not noted yet. Returns: None, or why that was more than a remote peer may have."""
        self._topics[topic] = None
        self._size += len(topic)
        options = self._options
        if len(self._topics) > (most := options.max_subscriptions):
            return f"subscribed to more than {most} topics, the publisher's max_subscriptions"
        if self._size > (most := options.max_subscription_bytes):
            return f"subscribed to topics of more than {most} bytes, the publisher's max_subscription_bytes"
        return None

    def remove(self, topic: bytes) -> None:
        """Forget a topic that was noted."""
        del self._topics[topic]
        self._size -= len(topic)

    def leave(self) -> list[bytes]:
        """The peer has left. Returns: its topics, in the order in which it subscribed."""
        self.pipe = None
        topics = list(self._topics)
        self._topics = {}
        return topics

    def __contains__(self, topic: bytes) -> bool:
        return topic in self._topics
