"""The queue that nothing was put into yet.

A deque takes 760 bytes, empty as it is, and most pipes use one of their two queues at the most: a PUSH never receives,
and most connections are idle most of the time. So a queue is `NOTHING` until there is a message.
"""

from __future__ import annotations

from typing import Any, Final


class _Nothing(tuple[Any, ...]):
    """An empty queue that cannot be appended to."""

    __slots__ = ()

    def clear(self) -> None:
        """There is nothing to forget."""


NOTHING: Final[Any] = _Nothing()
"""Stands for an empty queue of any kind."""
