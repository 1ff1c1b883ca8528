"""Send to one of many peers, each in turn, passing over the full (RFC 28, 30: round-robin)."""

from __future__ import annotations

from collections import deque

from .._message import Message
from .._pipe import Pipe


class LoadBalancer:
    """The pipes believed to have room, in turn.

    A pipe found full leaves the round; its carrier tells the socket when there is room, and the socket
    calls `activate`.
    """

    __slots__ = ("_ready", "last")

    def __init__(self) -> None:
        self._ready: deque[Pipe] = deque()
        self.last: Pipe | None = None
        """The pipe that the latest message went to."""

    def activate(self, pipe: Pipe) -> None:
        """The pipe is new, or has room again."""
        if pipe not in self._ready:
            self._ready.append(pipe)

    def remove(self, pipe: Pipe) -> None:
        """Send the pipe nothing more."""
        if pipe in self._ready:
            self._ready.remove(pipe)

    def choose(self) -> Pipe | None:
        """The pipe `send` would send to, or None; then a pipe's owner will be told when there is one."""
        ready = self._ready
        while ready:
            if ready[0].has_room():
                return ready[0]
            ready.popleft()
        return None

    # On the path of every message.
    def send(self, message: Message) -> bool:
        """Queue the message for the next peer that has room.

        Returns: whether there was one.
        """
        ready = self._ready
        while ready:
            pipe = ready[0]
            if pipe.send_nowait(message):
                if len(ready) > 1:
                    ready.rotate(-1)
                self.last = pipe
                return True
            ready.popleft()
        return False
