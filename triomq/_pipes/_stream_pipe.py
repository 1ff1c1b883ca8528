"""The pipe of a peer that is reached by a connection: what waits to be written to it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from ._pipe import Event, Pipe, PipeOwner, nothing_to_do, remove_same
from ._shared_tail import MOST_TAILS, SharedTail, take_joined


class StreamPipe(Pipe):
    """A pipe whose outbox a session writes to a connection.

    While no session is attached the outbox only fills, which is how a connecting socket queues
    before its peer exists.

    The outbox may end with tails that it shares with those of other pipes. Whoever asks for ``outbox`` has it whole,
    and shares them no longer.
    """

    __slots__ = (
        "attended", "conflate", "controls", "flush", "own", "send_limit", "tails", "unsent", "wake", "wake_later",
    )  # fmt: skip

    blocked: bool
    dropped: int

    def __init__(
        self, owner: PipeOwner, endpoint: str, send_limit: float, receive_limit: float, *, conflate: bool = False
    ) -> None:
        super().__init__(owner, endpoint, receive_limit, conflate=conflate)
        self.own: deque[Any] = deque()  # the outbox without its tails,
        self.tails: list[SharedTail] = []  # of which only the last may be open
        self.conflate: bool = conflate
        self.send_limit: float = math.inf if conflate else send_limit
        self.controls: int = 0  # in the outbox or half written, that are no messages
        self.unsent: int = 0  # messages that left the outbox and are not wholly written
        self.attended: bool = True  # somebody will look at the outbox, or nobody can: no need to wake
        self.wake: Callable[[], None] = nothing_to_do
        self.wake_later: Callable[[], None] = nothing_to_do
        self.flush: Callable[[], None] = nothing_to_do

    @property
    def outbox(self) -> deque[Any]:
        """What waits to be written."""
        if self.tails:
            self._take_over_tails()
        return self.own

    def _take_over_tails(self) -> None:
        for tail in self.tails:
            self.own.extend(tail.leave())
        self.tails.clear()

    def share(self, tail: SharedTail) -> None:
        """Let what is appended to ``tail``, while it is open, wait to be written: for no more than there is `room`."""
        if self.tails:
            self.tails[-1].open = False
            if len(self.tails) == MOST_TAILS:
                self._take_over_tails()
        self.tails.append(tail)
        tail.holders += 1
        if not self.attended:
            self.wake_later()

    # On the path of every message.
    def take(self, most: int) -> tuple[list[Any], list[Any]]:
        """Take out messages to be written.

        Returns: up to ``most`` of them, twice; or more, where all are encoded already, and their octets in few pieces.
        """
        outbox = self.own
        if self.tails:
            if not outbox and (taken := take_joined(self.tails)):
                return taken
            self._take_over_tails()
        if len(outbox) <= most:
            batch = list(outbox)
            outbox.clear()
        else:
            batch = [outbox.popleft() for _ in range(most)]
        return batch, batch

    def waiting(self) -> int:
        """How much waits to be written; the same as the length of the outbox, but lets tails be shared."""
        count = len(self.own)
        if self.tails:
            count += sum([len(tail.messages) for tail in self.tails])
        return count

    # On the path of every message: see docs/explanation/message-path.rst.
    def send_nowait(self, item: Any, at_once: bool = True) -> bool:
        outbox = self.outbox if self.tails else self.own
        if len(outbox) >= self.send_limit and not self.has_room():
            return False
        if self.conflate and outbox:
            self._drop_messages()
        outbox.append(item)
        if not self.attended:
            self.wake() if at_once else self.wake_later()
        return True

    def has_room(self) -> bool:
        if self.waiting() < self.send_limit:
            return True
        if not self.blocked:
            self.flush()  # a peer is full when its connection is, not when a burst is only gathered here
        self.blocked = self.waiting() >= self.send_limit
        return not self.blocked

    def room(self) -> float:
        return self.send_limit - self.waiting()

    def send_many_nowait(self, items: Sequence[Any]) -> None:
        if self.conflate:
            super().send_many_nowait(items)
            return
        self.outbox.extend(items)
        if not self.attended:
            self.wake()

    def control(self, event: Event) -> None:
        if self.peer is not None:
            self.outbox.append(event)
            self.controls += 1
            if not self.attended:
                self.wake()

    def withdraw(self, item: Any) -> bool:
        return remove_same(self.outbox, item)

    def send_capacity(self) -> float:
        return self.send_limit + self.unsent

    def queued(self) -> int:
        return self.waiting() + self.unsent

    def messages_queued(self) -> int:
        return self.queued() - self.controls

    def count_sent(self, items: list[Any]) -> None:
        """These have left, whole."""
        self.sent += len(items)
        if self.controls:
            controls = sum(not _is_message(item) for item in items)
            self.sent -= controls
            self.controls -= controls

    def set_unsent(self, count: int) -> None:
        """Let messages that left the outbox, and are not wholly written, still count against the HWM."""
        self.send_limit += self.unsent - count
        self.unsent = count

    def restore(self, items: list[Any]) -> None:
        """Put back, at the head, what left the outbox and did not reach the peer whole.

        Subscriptions and heartbeats were for that peer alone: the next one is told what holds then.
        """
        outbox = self.outbox
        outbox.extendleft(reversed(items))
        if self.controls:
            messages = [item for item in outbox if _is_message(item)]
            outbox.clear()
            outbox.extend(messages)
            self.controls = 0
        if self.conflate:
            while len(outbox) > 1:
                outbox.popleft()
                self.dropped += 1
        self.set_unsent(0)

    def _drop_messages(self) -> None:
        outbox = self.outbox
        controls = [item for item in outbox if not _is_message(item)] if self.controls else []
        self.dropped += len(outbox) - len(controls)
        outbox.clear()
        outbox.extend(controls)

    def room_made(self) -> None:
        if self.blocked and self.waiting() < self.send_limit:
            self.blocked = False
            self.owner._pipe_writable(self)

    def discard(self) -> None:
        self.dropped += self.messages_queued()
        self.controls = 0
        self.outbox.clear()
        self.set_unsent(0)


def _is_message(item: Any) -> bool:
    return isinstance(item, (tuple, bytes))
