"""What one peer of a publisher is subscribed to."""

from __future__ import annotations

from typing import Final

from .._pipes import Pipe

LONGEST_TOPIC: Final = 64 * 1024
"""bytes in one topic: as many as a SUBSCRIBE command holds; the messages that subscribe in ZMTP 3.0 have no bound"""
MOST_TOPICS: Final = 100_000
"""topics of one remote peer"""
MOST_TOPIC_BYTES: Final = 64 * 1024 * 1024
"""bytes in all topics of one remote peer together"""


class PeerTopics:
    """What one peer is subscribed to: to forget it with the peer, and to bound what a peer can make us remember.

    Attributes:
      pipe: of the peer; None when the peer has left, and its topics are being forgotten.
    """

    def __init__(self, pipe: Pipe) -> None:
        self.pipe: Pipe | None = pipe
        self._topics: dict[bytes, None] = {}
        self._size: int = 0

    def add(self, topic: bytes) -> str | None:
        """Note a topic that is not noted yet. Returns: None, or why that was more than a remote peer may have."""
        self._topics[topic] = None
        self._size += len(topic)
        if len(self._topics) > MOST_TOPICS or self._size > MOST_TOPIC_BYTES:
            return f"subscribed to more than {MOST_TOPICS} topics, or than {MOST_TOPIC_BYTES} bytes of them"
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
