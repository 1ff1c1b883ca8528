"""The pipe to a socket of the same program: sending puts the message into the other side's inbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from .._message import Frames
from ..zmtp import Cancel, Item, Subscribe
from ._inbox import Inbox
from ._outbox import remove_same
from ._pipe import Pipe
from ._roles import CONFIRMED, NOBODY, Confirmation, Loan, PipeOwner
from ._topic_queue import Conflate


class InprocPipe(Pipe):
    """One end of an inproc connection; what is sent here goes into the inbox of the ``other``.

    Attributes:
      other: the other end.
      joined: ``other`` belongs to a socket, or did: what was sent is that socket's.
      plain: what arrives here goes into the inbox as it is. Worked out once, and not for every message.
      reconnect: parts the two sockets and joins them again by a new far end; given the reason.
    """

    __slots__ = ("joined", "other", "plain", "reconnect")

    other: InprocPipe
    joined: bool
    plain: bool

    def __init__(self, owner: PipeOwner, endpoint: str, limit: float, *, conflate: Conflate) -> None:
        super().__init__(owner, endpoint, Inbox(limit, conflate=conflate))
        self.inbox.renew_queue(limit, conflate)  # `send_nowait` of the other end appends to it
        self.plain = not owner.interprets and not conflate
        self.reconnect: Callable[[Exception], None] = _stay

    # On the path of every message.
    def send_nowait(self, item: Item, at_once: bool = True) -> bool:
        other = self.other
        inbox = other.inbox
        queue = inbox.queue
        if len(queue) >= inbox.limit:
            return self._ask_for_room()
        self.sent += self.joined
        if other.plain:
            queue.append(item)  # type: ignore[arg-type]  # encoded messages are for pipes that share an encoding
            other.received += 1
            if not inbox.in_round:
                other.owner.readable(other)
        else:
            other.deliver([item])  # type: ignore[list-item]  # likewise
        return True

    def send_many_nowait(self, items: Sequence[Item]) -> None:
        self.sent += len(items) * self.joined
        self.other.deliver(items)  # type: ignore[arg-type]  # likewise

    def greet(self, message: Frames) -> None:
        """See `Pipe`. To the bound side there seems to be no room, until the other one has admitted it, too."""
        if self.joined:
            self.send_many_nowait([message])
        else:
            self.send_nowait(message)

    def has_room(self) -> bool:
        inbox = self.other.inbox
        if not inbox.is_full:
            return True
        return self._ask_for_room()

    def _ask_for_room(self) -> Literal[False]:
        """Have this side told when the other end's inbox has room. Returns: False, for there is none."""
        self.other.inbox.source_waits = True
        if not self.owner_waits:
            self.fill()
        return False

    def room(self) -> float:
        inbox = self.other.inbox
        return inbox.limit - len(inbox.queue)

    def room_made(self) -> None:
        if self.owner_waits and self.has_room():
            self.relieve()
        if self.awaited:
            self.tell_what_left()

    def control(self, item: Item) -> None:
        if self.peer is not None and isinstance(item, (Subscribe, Cancel)):  # heartbeats are for connections
            self.other.deliver([item])

    def withdraw(self, item: Item) -> bool:
        return not self.joined and remove_same(self.other.inbox.queue, item)

    def send_capacity(self) -> float:
        return self.other.inbox.limit

    def drop(self, count: int = 1) -> None:
        """See `Pipe`. A far end of nobody's gathers for the near one, which has accepted what makes way there."""
        if count and self.owner is NOBODY and self.other.owner is not NOBODY:
            self.other.drop(count)
        else:
            super().drop(count)

    def queued(self) -> int:
        return 0 if self.joined else len(self.other.inbox.queue)

    def discard(self) -> None:
        if not self.joined and (dropped := len(self.other.inbox.queue)):
            self.other.inbox.queue.clear()
            self.drop(dropped)

    # --- the source of the other end's inbox ------------------------------------------------

    def resume(self) -> None:
        """See `Source`: there is room in the other end's inbox again."""
        self.room_made()

    def hang_up(self, error: Exception) -> bool:
        """See `Source`: the peer is a socket of this program."""
        return False

    def renew(self, error: Exception) -> None:
        """See `Source`."""
        self.reconnect(error)

    def say_goodbye(self, error: Exception) -> None:
        """See `Source`: what was sent is with the peer already."""
        self.reconnect(error)

    def confirm(self) -> Confirmation:
        """See `Source`: what was sent is with the peer already."""
        return CONFIRMED

    def lend(self) -> Loan | None:
        """See `Source`: there is no connection to read."""
        return None

    def let_go(self) -> None:
        super().let_go()
        self.other = NO_PIPE
        self.reconnect = _stay


def _stay(_: Exception) -> None:
    """There is no connection."""


NO_PIPE = InprocPipe(NOBODY, "", 0, conflate=False)
"""The other end of a pipe that was let go."""
NO_PIPE.other = NO_PIPE
NO_PIPE.joined = False
NO_PIPE.plain = False
