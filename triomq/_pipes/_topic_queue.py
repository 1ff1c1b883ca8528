"""A queue that keeps the newest message of each topic."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")

Conflate: TypeAlias = bool | str
"""What a queue keeps: False is everything, True the newest message, ``"topics"`` the newest message of each topic."""


class TopicQueue(Generic[T]):
    """A queue that keeps the newest message of each topic, and is never full.

    The topic of a message is its first frame. A message of one frame has none: of such messages the newest is kept. A
    newer message takes the place of the waiting one of its topic. So each topic comes in its turn, however often the
    others change. A message of a new topic stands at the end; if there are too many then, the message that stands first
    is dropped. Controls among the messages are never dropped, and are not counted.

    It has those methods of a deque that an outbox and an inbox use.

    Args:
      most: messages that are kept, one of each topic; ``math.inf`` is no limit.
    """

    __slots__ = ("_items", "_messages", "_most", "_number")

    def __init__(self, most: float) -> None:
        self._items: OrderedDict[bytes | int | None, T] = OrderedDict()
        self._messages = 0
        self._most = most
        self._number = 0  # of the last control: what stands for its topic

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items.values())

    def __getitem__(self, index: int) -> T:
        return next(iter(self)) if index == 0 else list(self)[index]

    def __delitem__(self, index: int) -> None:
        key, item = list(self._items.items())[index]
        del self._items[key]
        self._messages -= isinstance(item, tuple)

    def append(self, item: T) -> None:
        """Put an item at the end, or a message in the place of the one of its topic."""
        self._put(self._key(item), item)
        self._drop_excess()

    def extend(self, items: Iterable[T]) -> None:
        """As `append`, for each of them."""
        for item in items:
            self.append(item)

    def extendleft(self, items: Iterable[T]) -> None:
        """Put items at the head, one before the other: messages that are older than all that wait."""
        for item in items:
            key = self._key(item)
            if key not in self._items:
                self._put(key, item)
                self._items.move_to_end(key, last=False)
        self._drop_excess()

    def popleft(self) -> T:
        """Take the first item.

        Raises:
          KeyError: there is none.
        """
        _, item = self._items.popitem(last=False)
        self._messages -= isinstance(item, tuple)
        return item

    def clear(self) -> None:
        """Forget everything."""
        self._items.clear()
        self._messages = 0

    def _key(self, item: T) -> bytes | int | None:
        if isinstance(item, tuple):
            return item[0] if len(item) > 1 else None
        self._number += 1
        return self._number

    def _put(self, key: bytes | int | None, item: T) -> None:
        if key not in self._items:
            self._messages += isinstance(item, tuple)
        self._items[key] = item

    def _drop_excess(self) -> None:
        while self._messages > self._most:
            del self._items[next(key for key, item in self._items.items() if isinstance(item, tuple))]
            self._messages -= 1
