"""Pipes without connections, and a socket without tasks, around one pattern."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any, Generic, TypeVar

from triomq import Message, Options, PeerUnwantedError
from triomq._patterns import Pattern
from triomq._pipes import NOBODY, Inbox, Loan, Pipe, PipeOwner
from triomq.zmtp import Item, PeerInfo

P = TypeVar("P", bound=Pattern)


def message(*frames: bytes) -> Message:
    """A message as a peer sends it."""
    return Message(frames)


class FakeSource:
    """What fills an inbox: a connection, or with ``trusted`` a socket of this program."""

    def __init__(self) -> None:
        self.trusted = False
        self.resumed = 0
        self.hung_up: list[Exception] = []
        self.renewed: list[Exception] = []
        self.renewing: Callable[[], None] = lambda: None  # what the end of the connection does to the pipe

    def resume(self) -> None:
        self.resumed += 1

    def hang_up(self, error: Exception) -> bool:
        if not self.trusted:
            self.hung_up.append(error)
        return not self.trusted

    def renew(self, error: Exception) -> None:
        self.renewed.append(error)
        self.renewing()

    def lend(self) -> Loan | None:
        return None


class FakePipe(Pipe):
    """A pipe whose outbox is a list, and whose room is what the test says.

    Attributes:
      outbox: messages that were sent, and have not been withdrawn.
      later: those of them that were not to be written at once.
      controls: subscriptions, cancellations and heartbeats.
      room_left: how many more messages are accepted.
    """

    def __init__(
        self, owner: PipeOwner = NOBODY, name: str = "pipe", *, room: float = math.inf, conflate: bool = False
    ) -> None:
        super().__init__(owner, f"fake://{name}", Inbox(math.inf, conflate=conflate))
        self.name = name
        self.source = self.inbox.source = FakeSource()
        self.outbox: list[Item] = []
        self.later: list[Item] = []
        self.controls: list[Item] = []
        self.room_left = room

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def send_nowait(self, item: Item, at_once: bool = True) -> bool:
        if not self.has_room():
            return False
        self.room_left -= 1
        self.outbox.append(item)
        if not at_once:
            self.later.append(item)
        return True

    def has_room(self) -> bool:
        self.owner_waits = self.room_left < 1
        return not self.owner_waits

    def room(self) -> float:
        return self.room_left

    def control(self, item: Item) -> None:
        if self.peer is not None:
            self.controls.append(item)

    def withdraw(self, item: Item) -> bool:
        for index, other in enumerate(self.outbox):
            if other is item:
                del self.outbox[index]
                self.room_left += 1
                return True
        return False

    def room_made(self) -> None:
        if self.owner_waits and self.room_left >= 1:
            self.owner_waits = False
            self.owner.writable(self)

    def send_capacity(self) -> float:
        return len(self.outbox) + self.room_left

    def queued(self) -> int:
        return len(self.outbox)

    def discard(self) -> None:
        dropped, self.outbox = len(self.outbox), []
        self.drop(dropped)

    # --- the peer's side --------------------------------------------------------------------

    def leave(self) -> list[Item]:
        """Everything that is queued goes to the peer: there is as much room as before it was queued."""
        left, self.outbox = self.outbox, []
        self.room_left += len(left)
        self.room_made()
        return left

    def bring(self, *events: Any) -> None:
        """The peer has sent something."""
        self.deliver(list(events))


class Turn:
    """What costly work is counted against."""

    def __init__(self) -> None:
        self.left = 0


class _Waiting:
    def __init__(self, wakes: list[str], name: str) -> None:
        self._wakes, self._name = wakes, name

    def wake(self) -> None:
        self._wakes.append(self._name)


class Scene(Generic[P]):
    """One pattern, as a socket has it; peers come and go by the calls that a socket would make.

    Attributes:
      wakes: ``"senders"``, ``"receivers"`` or ``"watchers"``, each time that the pattern woke those.
    """

    def __init__(self, kind: type[P], **options: Any) -> None:
        self.turn = Turn()
        self.pattern: P = kind(Options(**options), random.Random(7), self.turn)
        self.wakes: list[str] = []
        self.pattern.senders = _Waiting(self.wakes, "senders")
        self.pattern.receivers = _Waiting(self.wakes, "receivers")
        self.pattern.watchers = _Waiting(self.wakes, "watchers")
        self._names = map("p{}".format, count())

    def woken(self) -> set[str]:
        """Who was woken since the last call of this."""
        woken = set(self.wakes)
        self.wakes.clear()
        return woken

    def new(self, **arguments: Any) -> FakePipe:
        """A pipe that nobody has added yet."""
        return FakePipe(self.pattern, next(self._names), **arguments)

    def expect(self, **arguments: Any) -> FakePipe:
        """A pipe whose peer is yet to come: a connecting socket's."""
        pipe = self.new(**arguments)
        self._add(pipe)
        return pipe

    def join(self, *, routing_id: bytes = b"", socket_type: str = "ANY", **arguments: Any) -> FakePipe:
        """A pipe whose peer has come by itself: a binding socket's."""
        pipe = self.new(**arguments)
        self.admit(pipe, routing_id, socket_type=socket_type)
        return pipe

    def join_many(self, number: int, **arguments: Any) -> list[FakePipe]:
        return [self.join(**arguments) for _ in range(number)]

    def _add(self, pipe: Pipe) -> None:
        self.pattern.pipes[pipe] = None
        self.pattern.added(pipe)

    def admit(self, pipe: Pipe, routing_id: bytes = b"", *, socket_type: str = "ANY") -> None:
        """The pipe's peer has come."""
        pipe.peer = PeerInfo(
            socket_type=socket_type, routing_id=routing_id, metadata={}, version=(3, 1), mechanism="NULL"
        )
        try:
            self.pattern.admit(pipe)
        except PeerUnwantedError:
            pipe.peer = None
            raise
        if pipe not in self.pattern.pipes:
            self._add(pipe)
        self.pattern.ready(pipe)

    def lose(self, pipe: Pipe) -> None:
        """The pipe's peer is gone; it may come back."""
        pipe.peer = None
        self.pattern.lost(pipe)

    def retire(self, pipe: Pipe) -> None:
        """The user has disconnected the pipe, which goes on sending what is queued."""
        del self.pattern.pipes[pipe]
        self.pattern.removed(pipe)
        pipe.draining = True

    def remove(self, pipe: Pipe) -> None:
        """The pipe's peer, if there is one, is gone for good."""
        if pipe.peer is not None:
            self.lose(pipe)
        pipe.alive = False
        pipe.discard()
        if pipe in self.pattern.pipes:
            del self.pattern.pipes[pipe]
            self.pattern.removed(pipe)
        pipe.let_go()


def bodies(items: Iterable[Item]) -> list[bytes]:
    """The last frames of messages."""
    return [item[-1] for item in items if isinstance(item, tuple)]


def outboxes(pipes: Sequence[FakePipe]) -> list[list[bytes]]:
    """What each pipe was sent, by its last frame."""
    return [bodies(pipe.outbox) for pipe in pipes]
