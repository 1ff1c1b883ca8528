"""Send to one of many peers, each in turn, passing over the full (RFC 28, 30: round-robin)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Final

from .._message import Frames
from .._pipes import Pipe

_MOST_SHARING: Final = 16  # pipes; with more, a list is hardly longer than a round of them


class LoadBalancer:
    """The pipes believed to have room, in turn.

    A pipe found full leaves the round; its carrier tells the socket when there is room, and the socket
    calls `activate`.
    """

    __slots__ = ("_ready",)

    def __init__(self) -> None:
        self._ready: deque[Pipe] = deque()

    def activate(self, pipe: Pipe) -> None:
        """The pipe is new, or has room again."""
        if pipe not in self._ready:
            self._ready.append(pipe)

    def remove(self, pipe: Pipe) -> None:
        """Send the pipe nothing more."""
        if pipe in self._ready:
            self._ready.remove(pipe)

    def only(self) -> Pipe | None:
        """The pipe that has the round for itself, though it may be full by now; None if there is none, or several."""
        return self._ready[0] if len(self._ready) == 1 else None

    def choose(self) -> Pipe | None:
        """The pipe `send` would send to, or None; then a pipe's owner will be told when there is one."""
        ready = self._ready
        while ready:
            if ready[0].has_room():
                return ready[0]
            ready.popleft()
        return None

    def pass_on(self) -> None:
        """The pipe that `choose` told was sent something: it is the next one's turn."""
        if len(self._ready) > 1:
            self._ready.rotate(-1)

    # On the path of every message.
    def send(self, message: Frames) -> bool:
        """Queue the message for the next peer that has room.

        Returns: whether there was one.
        """
        ready = self._ready
        while ready:
            pipe = ready[0]
            if pipe.send_nowait(message):
                if len(ready) > 1:
                    ready.rotate(-1)
                return True
            ready.popleft()
        return False

    def room_for_many(self) -> float:
        """How many messages `send_many` would take now; 0 where each has to find its own pipe."""
        ready = self._ready
        if not 0 < len(ready) <= _MOST_SHARING:
            return 0
        least = math.inf
        for pipe in ready:
            if not pipe.has_room():
                return 0  # `send` passes it over
            least = min(least, pipe.room())
        return least * len(ready)

    def send_many(self, messages: Sequence[Frames]) -> None:
        """Queue no more messages than `room_for_many` has just told: as `send` would, one by one."""
        pipes = list(self._ready)
        if len(pipes) == 1:
            pipes[0].send_many_nowait(messages)
            return
        for place, pipe in enumerate(pipes):
            if part := messages[place :: len(pipes)]:
                pipe.send_many_nowait(part)
        self._ready.rotate(-len(messages))
