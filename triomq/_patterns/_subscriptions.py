"""Which of many prefixes begin a topic: a radix tree.

Theory of operation

Every node stands for a prefix; the edge to it is labelled with the bytes that its parent's prefix lacks, and
no two edges of a node begin with the same byte. Matching walks down the one possible path and meets each
subscribed prefix of the topic on it, so its cost is bounded by the topic's length and the number of *nested*
subscriptions, never by how many there are. Nothing here recurses: a peer chooses how deep the tree is.

A peer also chooses how large it is, and most nodes are leaves that one subscriber is subscribed to, once. So a
``counts`` of one entry may be shared by any number of nodes, and is never changed but replaced; and leaves share
their emptiness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Generic, TypeAlias, TypeVar

from .._message import Frames

T = TypeVar("T")

_NO_CHILDREN: Final[dict[int, Any]] = {}
_MOST_REMEMBERED: Final = 100_000  # subscribers in all remembered answers


class Audience(list[T]):
    """The subscribers to any prefix of a topic. The same object answers until a subscription changes.

    Attributes:
      shared: what a sender keeps for all of them together.
    """

    __slots__ = ("shared",)

    def __init__(self, subscribers: Iterable[T] = ()) -> None:
        super().__init__(subscribers)
        self.shared: Any = None


class _Node(Generic[T]):
    __slots__ = ("children", "counts", "label")

    def __init__(self, label: bytes) -> None:
        self.label = label
        self.children: dict[int, _Node[T]] = _NO_CHILDREN
        self.counts: dict[T, int] | None = None  # subscribers to exactly this prefix, and how often each


class Subscriptions(Generic[T]):
    """Counted subscriptions of subscribers to prefixes.

    Args:
      member: what stands for a subscriber in an audience, None to leave it out; without it, the subscriber itself.

    The order of subscribers in every answer is that of their subscriptions, so that runs can be repeated.
    """

    def __init__(self, member: Callable[[T], Any] | None = None) -> None:
        self._root: _Node[T] = _Node(b"")
        self._member = member
        self._newest: dict[T, int] = {}  # the newest ``counts`` made for one subscriber alone
        # Key: the node of the longest subscribed prefix. If only that one prefix matches, the id of its `counts`
        # instead, because nodes that share `counts` have the same subscribers.
        self._audiences: dict[_Node[T] | int, Audience[Any]] = {}
        self._remembered: int = 0  # subscribers in these

    def add(self, topic: bytes, subscriber: T) -> bool:
        """Count one more subscription.

        Returns: whether nobody was subscribed to exactly this topic before.
        """
        self.forget_audiences()
        node = self._descend_making(topic)
        counts = node.counts
        if counts is None:
            if subscriber not in self._newest:
                self._newest = {subscriber: 1}
            node.counts = self._newest
            return True
        if len(counts) == 1:
            node.counts = counts = counts.copy()
        counts[subscriber] = counts.get(subscriber, 0) + 1
        return False

    def remove(self, topic: bytes, subscriber: T, *, all_of_them: bool = False) -> bool | None:
        """Count one subscription less.

        Returns: True if nobody is subscribed to exactly this topic any more, False if somebody still is,
          None if there was no such subscription.
        """
        path = self._path(topic)
        last = None if path is None else self._remove_at(path[-1], subscriber, all_of_them)
        if path is not None and last:
            self._prune(path)
        return last

    def remove_many(self, topics: Iterable[bytes], subscriber: T) -> Iterator[tuple[bytes, bool]]:
        """Remove all subscriptions of a subscriber to each of the topics.

        Give them in descending order: so a topic comes before its prefixes, and each way down begins where the one
        before ended. All of them together then cost no more than their bytes. Nothing else may be changed before the
        iterator is used up.

        Returns: each topic that the subscriber was subscribed to, and whether nobody is any more.
        """
        path, reached = [self._root], b""
        for topic in topics:
            while not topic.startswith(reached):
                reached = reached[: len(reached) - len(path.pop().label)]
            position = self._extend_path(path, topic, len(reached))
            reached = topic[:position]
            if position == len(topic):
                last = self._remove_at(path[-1], subscriber, True)
                if last:
                    reached = reached[: len(reached) - self._prune(path)]
                if last is not None:
                    yield topic, last

    def _remove_at(self, node: _Node[T], subscriber: T, all_of_them: bool) -> bool | None:
        if not (counts := node.counts) or subscriber not in counts:
            return None
        self.forget_audiences()
        if subscriber in self._newest:
            self._newest = {}  # it may be leaving: keep no hold of it
        if len(counts) == 1:
            node.counts = counts = counts.copy()
        counts[subscriber] -= 1
        if all_of_them or counts[subscriber] == 0:
            del counts[subscriber]
        if counts:
            return False
        node.counts = None
        return True

    def count(self, topic: bytes, subscriber: T) -> int:
        """How many subscriptions the subscriber has to exactly this topic."""
        path = self._path(topic)
        return 0 if path is None else (path[-1].counts or {}).get(subscriber, 0)

    # On the path of every message that is published.
    def match(self, topic: bytes) -> Audience[Any]:
        """Everybody subscribed to a prefix of the topic, once each; not to be changed."""
        node = longest = self._root
        nested = False
        position, end = 0, len(topic)
        while position < end:
            child = node.children.get(topic[position])
            if child is None:
                break
            size = len(child.label)
            if size > 1 and not topic.startswith(child.label, position):  # one byte has been looked at already
                break
            node = child
            position += size
            if node.counts:
                if longest.counts:
                    nested = True
                longest = node
        # Leaves of one subscriber alone share their counts, and so one answer: found though no topic comes twice.
        key = longest if nested else id(longest.counts)
        audience = self._audiences.get(key)
        return self._find_audience(topic[:position], key) if audience is None else audience

    def _find_audience(self, topic: bytes, key: _Node[T] | int) -> Audience[Any]:
        path = self._path(topic) or []
        subscribers = {subscriber: None for node in path for subscriber in node.counts or ()}
        if self._member is None:
            audience: Audience[Any] = Audience(subscribers)
        else:
            members = map(self._member, subscribers)
            audience = Audience([member for member in members if member is not None])
        if self._remembered + len(audience) > _MOST_REMEMBERED:
            self.forget_audiences()
        self._remembered += len(audience) + 1
        self._audiences[key] = audience
        return audience

    def forget_audiences(self) -> None:
        """Ask ``member`` anew for every audience."""
        if self._audiences:
            self._audiences = {}
            self._remembered = 0

    def matches(self, topic: bytes) -> bool:
        """Whether anybody is subscribed to a prefix of the topic."""
        node = self._root
        position, end = 0, len(topic)
        while node.counts is None:
            if position >= end:
                return False
            child = node.children.get(topic[position])
            if child is None:
                return False
            size = len(child.label)
            if size > 1 and not topic.startswith(child.label, position):
                return False
            node = child
            position += size
        return True

    def __iter__(self) -> Iterator[bytes]:
        """Every topic somebody is subscribed to."""
        stack = [(b"", self._root)]
        while stack:
            prefix, node = stack.pop()
            prefix += node.label
            if node.counts:
                yield prefix
            stack.extend((prefix, child) for child in reversed(node.children.values()))

    def _descend_making(self, topic: bytes) -> _Node[T]:
        node = self._root
        position = 0
        while position < len(topic):
            child = node.children.get(topic[position])
            if child is None:
                child = _Node(topic[position:])
                if not node.children:
                    node.children = {}
                node.children[topic[position]] = child
                return child
            shared = _shared_length(child.label, topic, position)
            if shared < len(child.label):  # the topic leaves the edge in its middle: split it there
                upper: _Node[T] = _Node(child.label[:shared])
                child.label = child.label[shared:]
                upper.children = {child.label[0]: child}
                node.children[topic[position]] = upper
                child = upper
            node = child
            position += shared
        return node

    def _path(self, topic: bytes) -> list[_Node[T]] | None:
        path = [self._root]
        return path if self._extend_path(path, topic, 0) == len(topic) else None

    def _extend_path(self, path: list[_Node[T]], topic: bytes, position: int) -> int:
        """Go on from a path that stands for the topic's first bytes, as far as nodes lead.

        Returns: for how many of the topic's bytes the path stands now.
        """
        while position < len(topic):
            child = path[-1].children.get(topic[position])
            if child is None or not topic.startswith(child.label, position):
                break
            path.append(child)
            position += len(child.label)
        return position

    def _prune(self, path: list[_Node[T]]) -> int:
        """Take away nodes that mean nothing, from the end of the path up.

        Returns: for how many bytes fewer the path stands then.
        """
        shorter = 0
        while len(path) > 1:
            node = path[-1]
            if node.counts or len(node.children) > 1:
                break
            path.pop()
            shorter += len(node.label)
            if node.children:  # one way on: join the two edges
                (child,) = node.children.values()
                child.label = node.label + child.label
                path[-1].children[child.label[0]] = child
                break
            del path[-1].children[node.label[0]]
        return shorter


def _shared_length(label: bytes, topic: bytes, position: int) -> int:
    """How many bytes of the label the topic has at that position."""
    if topic.startswith(label, position):
        return len(label)
    least, most = 0, len(label) - 1  # halved, so that only a few comparisons run in Python
    while least < most:
        middle = (least + most + 1) // 2
        if topic.startswith(label[least:middle], position + least):
            least = middle
        else:
            most = middle - 1
    return least


_FEW: Final = 16
_Span: TypeAlias = tuple[Frames, Frames | None]


def _span_of(topic: bytes) -> _Span:
    """The least message that begins with the topic, and the least beyond all of those; None if there is none beyond."""
    stem = topic.rstrip(b"\xff")
    return (topic,), (stem[:-1] + bytes((stem[-1] + 1,)),) if stem else None


class TopicFilter:
    """A subscriber's own counted subscriptions.

    Attributes:
      few: all the topics, for ``bytes.startswith``, if they are few: that is several times quicker than a tree.
    """

    def __init__(self) -> None:
        self.few: tuple[bytes, ...] | None = ()
        self._everything = False  # is wanted
        self._span: _Span | None = None  # where the messages of the only topic lie, in the order of `bytes`
        self._topics: dict[bytes, None] = {}
        self._subscriptions: Subscriptions[None] = Subscriptions()

    def _changed(self) -> None:
        self.few = tuple(self._topics) if len(self._topics) <= _FEW else None
        self._everything = b"" in self._topics
        self._span = _span_of(*self._topics) if len(self._topics) == 1 else None

    def add(self, topic: bytes) -> bool:
        """Count one more subscription. Returns: whether it is the first to the topic."""
        first = self._subscriptions.add(topic, None)
        if first:
            self._topics[topic] = None
            self._changed()
        return first

    def remove(self, topic: bytes) -> bool | None:
        """Count one less. Returns: True if it was the last, None if there was none."""
        last = self._subscriptions.remove(topic, None)
        if last:
            del self._topics[topic]
            self._changed()
        return last

    def matches(self, topic: bytes) -> bool:
        """Whether a message whose first frame is ``topic`` is wanted."""
        return self._subscriptions.matches(topic)

    def matches_all(self, messages: Sequence[Frames]) -> bool:
        """Whether all messages, of which there is at least one, are wanted; said only where that is quick to see.

        Mostly they are, as the publisher looks first. To compare all with the first and the last that would be wanted
        costs a third of looking at each, and makes no object for any.
        """
        if self._everything or self._span is None:
            return self._everything
        least, beyond = self._span
        return min(messages) >= least and (beyond is None or max(messages) < beyond)

    def __len__(self) -> int:
        return len(self._topics)

    def __contains__(self, topic: bytes) -> bool:
        return topic in self._topics

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._topics)
