"""Peers that wait until there is a place for them, and which of them is woken when somebody leaves.

Theory of operation

A second peer of a PAIR, or of a routing id that is in use, waits. Each peer that leaves may make a place for one of
those who wait, never for two. So one is woken: the oldest of those with the name that has become free or, where nobody
has that name, the oldest of all. Nine hundred that wait cost no more than one.

A wake-up is not lost: whoever was woken and ends before it has looked, passes the wake-up on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import trio

_Line = OrderedDict[trio.CancelScope, None]


class Vacancies:
    """The peers of one socket that wait for a place."""

    __slots__ = ("_of_name", "_waiting")

    def __init__(self) -> None:
        self._waiting: OrderedDict[trio.CancelScope, bytes] = OrderedDict()  # the oldest first
        self._of_name: dict[bytes, _Line] = {}  # likewise

    @contextmanager
    def until_one(self, name: bytes, *, again: bool) -> Iterator[None]:
        """A block that is cancelled when there may be a place for a peer of this name.

        Args:
          again: it was woken before, and there was none: its turn comes before that of others.
        """
        scope = trio.CancelScope()
        self._add(scope, name, first=again)
        try:
            with scope:
                yield
        except BaseException:
            if scope.cancel_called:  # the place is for another
                self.announce((name,))
            raise
        finally:
            self._remove(scope)

    def announce(self, names: Iterable[bytes]) -> None:
        """A peer has left, who had these names: wake one that waits for one of them, or else the oldest."""
        if not self._waiting:
            return
        for name in names:
            if name in self._of_name:
                self._wake(next(iter(self._of_name[name])))
                return
        self._wake(next(iter(self._waiting)))

    def _wake(self, scope: trio.CancelScope) -> None:
        self._remove(scope)
        scope.cancel(reason="triomq: there may be a place for this peer now")

    def _add(self, scope: trio.CancelScope, name: bytes, *, first: bool) -> None:
        line = self._of_name.setdefault(name, OrderedDict())
        self._waiting[scope] = name
        line[scope] = None
        if first:
            self._waiting.move_to_end(scope, last=False)
            line.move_to_end(scope, last=False)

    def _remove(self, scope: trio.CancelScope) -> None:
        name = self._waiting.pop(scope, None)
        if name is not None:
            line = self._of_name[name]
            del line[scope]
            if not line:
                del self._of_name[name]
