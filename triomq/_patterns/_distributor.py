"""Send to every peer that wants it (RFC 29: PUB, XPUB; XSUB to every publisher)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from .. import zmtp
from .._message import Frames
from .._pipes import Pipe, QueuedPipe, SharedTail
from ._subscriptions import Audience

_LEAST_ROOM = 64  # messages for which a pipe must have room to share a tail with others
_WORTH_SHARING = 2  # messages; making a tail that got fewer was not worth it
_TRIES_WITHOUT = 16  # messages that go to each pipe directly after such a tail, before another is made
_LARGEST_GROUP = 512  # pipes that are given a tail in one go: 0.2 ms


class _Group:
    """What is kept for an audience: the tail that its pipes share, and those of them that do not."""

    __slots__ = ("gathered", "left", "others", "patience", "tail")

    def __init__(self) -> None:
        self.tail = SharedTail()
        self.tail.open = False
        self.gathered = _WORTH_SHARING  # messages in the tail
        self.left: float = 0  # for how many more every pipe that shares the tail has room
        self.others: list[Pipe] = []  # nearly full, or not of this kind
        self.patience: int = 0

    def open(self, pipes: Sequence[Pipe]) -> bool:
        """Let the pipes share a new tail. Returns: False if none of them can, and the tail is of no use."""
        self.tail = SharedTail()
        self.gathered = 0
        self.left = math.inf
        self.others = []
        for pipe in pipes:
            if pipe.shares_encoding and isinstance(pipe, QueuedPipe) and (room := pipe.room()) >= _LEAST_ROOM:
                pipe.share(self.tail)
                self.left = min(self.left, room)
            else:
                self.others.append(pipe)
        self.tail.open = self.tail.holders > 0
        return self.tail.open


def _open_group(audience: Audience[Pipe]) -> _Group | None:
    """The group of an audience of several, with a new tail; None where sending to each of the pipes is better."""
    if len(audience) > _LARGEST_GROUP:
        return None
    if audience.shared is None:
        audience.shared = _Group()
    group: _Group = audience.shared
    if group.patience:
        group.patience -= 1
        return None
    if group.gathered < _WORTH_SHARING:
        group.patience = _TRIES_WITHOUT
    if group.open(audience):
        return group
    group.patience = _TRIES_WITHOUT
    return None


class Distributor:
    """Sends one message to many pipes, encoding it once for all that can share the bytes."""

    __slots__ = ()

    # On the path of every message that is published.
    def publish(self, message: Frames, audience: Audience[Pipe]) -> int:
        """As `send`, for pipes that are likely to be sent the next message too: it costs little for each of them.

        Returns: how much was done now, in pipes that were each sent a message; giving a tail to two counts as one.
        """
        if len(audience) == 1:
            self.send(message, audience)
            return 1
        group: _Group | None = audience.shared
        if group is not None and group.tail.open and group.left >= 1:
            done = len(group.others)
        elif (group := _open_group(audience)) is not None:
            done = len(group.others) + group.tail.holders // 2
        else:
            self.send(message, audience)
            return len(audience)
        group.left -= 1
        group.gathered += 1
        group.tail.messages.append(zmtp.encode_shared(message))
        if group.others:
            self.send(message, group.others)
        return done

    def send(self, message: Frames, pipes: Sequence[Pipe]) -> None:
        """Queue the message for each of the pipes that has room; the others drop it, and count it."""
        if len(pipes) == 1:
            if not pipes[0].send_nowait(message):
                pipes[0].lose("full")
            return
        shared: bytes | None = None
        for pipe in pipes:
            if not pipe.shares_encoding:
                accepted = pipe.send_nowait(message, False)
            else:
                if shared is None:
                    shared = zmtp.encode_shared(message)
                accepted = pipe.send_nowait(shared, False)
            if not accepted:
                pipe.lose("full")

    def have_room(self, pipes: Iterable[Pipe]) -> bool:
        """Whether none of the pipes would drop; the owner of one that would is told when it has room."""
        return all([pipe.has_room() for pipe in pipes])
