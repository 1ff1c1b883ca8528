"""What happens to a socket's queues, as events: a queue is full or has room again, messages are dropped.

Theory of operation

A queue that is full is full again at once when its peer is slow, thousands of times a second, and a publisher may drop
as many messages. So pipes only note that there is something to tell (`Notes.add`), and only the first time. One task of
the socket, which exists while there is something to look at, tells it from outside the path of messages: at once what
is new, then at most one change of a queue each second, and one sum of drops each minute. It tells the state of that
moment.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import trio

from .._events import HighWaterMarkReached, HighWaterMarkRelieved, MessageDropped, MonitorEvent
from .._pipes import Pipe
from .._runtime import TaskGroup
from .._statistics import DropReason
from ._rows import peer_at

_MARK_EVERY: Final = 1.0
"""seconds between two events on whether one queue is full"""
_DROPS_EVERY: Final = 60.0
"""seconds between two events on messages that one peer loses"""
_LOOK_EVERY: Final = 0.1
"""seconds between two looks at what was noted"""


class _Told:
    """What was told of one pipe, and when.

    Attributes:
      look_at: when to look at the pipe; inf if there is nothing to look for.
    """

    __slots__ = ("full", "full_at", "look_at", "lost", "lost_at")

    def __init__(self) -> None:
        self.full: bool = False
        self.full_at: float = -math.inf
        self.lost: int = 0
        self.lost_at: float = -math.inf
        self.look_at: float = -math.inf


class _Astray:
    """What was dropped because nobody has the routing id that it was for."""

    __slots__ = ("count", "routing_id", "tell_at", "told_at")

    def __init__(self) -> None:
        self.count: int = 0
        self.routing_id: bytes = b""
        self.told_at: float = -math.inf
        self.tell_at: float = math.inf


class Notes:
    """Tells of a socket's queues that are full, and of messages that are dropped.

    Args:
      tasks: of the socket.
      emit: tells an event.
    """

    __slots__ = ("_astray", "_emit", "_ended", "_looked_at", "_next_look", "_running", "_tasks", "_told")

    def __init__(self, tasks: TaskGroup, emit: Callable[[MonitorEvent], None]) -> None:
        self._tasks = tasks
        self._emit = emit
        self._astray = _Astray()
        self._told: dict[Pipe, _Told] = {}
        self._running = False
        self._ended = False
        self._next_look: trio.CancelScope | None = None  # while the task waits
        self._looked_at = -math.inf

    def add(self, pipe: Pipe) -> None:
        """Look at the pipe: it is full, has room again, or begins to lose messages."""
        told = self._told.get(pipe)
        if told is None:
            told = self._told[pipe] = _Told()
        elif told.look_at != math.inf and not (pipe.lost > told.lost and told.lost_at == -math.inf):
            return  # it is about to be looked at
        told.look_at = -math.inf
        self._look_soon()

    def add_unroutable(self, routing_id: bytes) -> None:
        """A message was dropped: nobody has the routing id that it was for."""
        astray = self._astray
        astray.count += 1
        astray.routing_id = routing_id
        if astray.tell_at == math.inf:
            astray.tell_at = astray.told_at + _DROPS_EVERY
            self._look_soon()

    def _look_soon(self) -> None:
        if self._next_look is not None:
            self._next_look.deadline = min(self._next_look.deadline, self._looked_at + _LOOK_EVERY)
        elif not (self._running or self._ended):
            self._running = True
            self._tasks.start(self._run, name="triomq notes")

    async def _run(self) -> None:
        try:
            while True:
                now = self._looked_at = trio.current_time()
                if self._astray.tell_at <= now:
                    self._tell_astray(now)
                due = self._astray.tell_at
                for pipe, told in list(self._told.items()):
                    if told.look_at <= now:
                        self._look(pipe, told, now)
                    due = min(due, told.look_at)
                if due == math.inf:
                    return
                with trio.CancelScope(deadline=max(due, now + _LOOK_EVERY)) as self._next_look:
                    await trio.sleep_forever()
        finally:
            self._running, self._next_look = False, None

    def _look(self, pipe: Pipe, told: _Told, now: float) -> None:
        told.look_at = math.inf
        if pipe.owner_waits is not told.full:
            if now >= told.full_at + _MARK_EVERY:
                told.full, told.full_at = pipe.owner_waits, now
                self._tell_mark(pipe, full=told.full)
            else:
                told.look_at = told.full_at + _MARK_EVERY
        if pipe.losing:
            if now >= told.lost_at + _DROPS_EVERY:
                if pipe.lost > told.lost:
                    told.lost_at = now
                    self._tell_drops(pipe, told)
                else:  # for a minute nothing was lost: the next one is told of at once
                    pipe.losing = ""
                    return
            told.look_at = min(told.look_at, told.lost_at + _DROPS_EVERY)

    def _tell_mark(self, pipe: Pipe, *, full: bool) -> None:
        peer = None if pipe.peer is None else peer_at(pipe)
        address = pipe.endpoint if peer is None else pipe.address
        if full:
            hwm = pipe.send_capacity()
            self._emit(HighWaterMarkReached(endpoint=pipe.endpoint, address=address, peer=peer, hwm=hwm))
        else:
            self._emit(HighWaterMarkRelieved(endpoint=pipe.endpoint, address=address, peer=peer))

    def _tell_drops(self, pipe: Pipe, told: _Told) -> None:
        count = pipe.lost - told.lost
        told.lost = pipe.lost
        self.tell_dropped(pipe, count, pipe.losing)  # type: ignore[arg-type]  # not empty here

    def _tell_astray(self, now: float) -> None:
        astray = self._astray
        to, count = astray.routing_id, astray.count
        self._emit(MessageDropped(endpoint="", address="", count=count, reason="unroutable", routing_id=to))
        astray.count, astray.told_at, astray.tell_at = 0, now, math.inf

    def tell_dropped(self, pipe: Pipe, count: int, reason: DropReason) -> None:
        """Tell that ``count`` messages were dropped."""
        peer = peer_at(pipe)
        address = pipe.endpoint if peer is None else peer.address
        event = MessageDropped(endpoint=pipe.endpoint, address=address, peer=peer, count=count, reason=reason)
        self._emit(event)

    def forget(self, pipe: Pipe) -> None:
        """The pipe's peer has left: tell what is left to be told of its drops."""
        told = self._told.pop(pipe, None) or _Told()
        if pipe.losing and pipe.lost > told.lost:
            self._tell_drops(pipe, told)
        pipe.losing = ""

    def end(self) -> None:
        """The socket is closed: tell what is left to be told of no pipe, and look no more."""
        self._ended = True
        if self._astray.count:
            self._tell_astray(math.inf)
