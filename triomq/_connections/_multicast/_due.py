"""Whose turn is when: of very many senders, those are looked at whose time has come."""

from __future__ import annotations

import math
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")


class Due(Generic[T]):
    """Things and the earliest time that was named for each, until it is taken."""

    def __init__(self) -> None:
        self._times: dict[T, float] = {}
        self._heap: list[tuple[float, int, T]] = []
        self._serial = count()  # things need not be comparable

    def plan(self, one: T, at: float) -> None:
        """It is due at ``at``, unless it is due earlier anyway."""
        if at >= self._times.get(one, math.inf):
            return
        self._times[one] = at
        heappush(self._heap, (at, next(self._serial), one))
        if len(self._heap) > 2 * len(self._times) + 64:  # most of them were planned anew, or forgotten
            self._heap = [entry for entry in self._heap if self._times.get(entry[2]) == entry[0]]
            heapify(self._heap)

    def forget(self, one: T) -> None:
        """It is not due any more."""
        self._times.pop(one, None)

    def take(self, now: float) -> list[T]:
        """Those that are due, each once, the earliest first."""
        taken = []
        while self.next() <= now:
            one = heappop(self._heap)[2]
            del self._times[one]
            taken.append(one)
        return taken

    def next(self) -> float:
        """When one is due."""
        heap = self._heap
        while heap and self._times.get(heap[0][2]) != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else math.inf
