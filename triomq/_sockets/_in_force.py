"""Which publishers have in force what a socket is subscribed to: the end of the slow joiner's sleep, at its own end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .._patterns import Subscriber
from .._pipes import Confirmation, Pipe
from ..zmtp import PeerInfo


class _Asked(NamedTuple):
    """A publisher that was asked: the peer of that connection, its answer, and which changes it has then taken in."""

    peer: PeerInfo
    answer: Confirmation
    changes: int


class SubscriptionCheck:
    """Asks each publisher, once for each of its connections, whether it has taken in the subscriptions of now.

    A later subscription is not waited for. A publisher that has answered may need a moment more; then it is ready.

    Args:
      pipes: of the socket.
      content_with_many: a publisher is ready as well if it has sent so much already that its queue is full: nothing
        more is read from it before the user receives, and so its answer would not be read.
    """

    def __init__(self, pipes: Iterable[Pipe], subscriber: Subscriber, *, content_with_many: bool = False) -> None:
        self._pipes = pipes
        self._subscriber = subscriber
        self._content_with_many = content_with_many
        self._asked: dict[Pipe, _Asked] = {}
        self._settled: dict[Pipe, PeerInfo] = {}

    def look(self) -> tuple[int, dict[Pipe, float]]:
        """Ask those that were not asked yet.

        Returns: how many publishers are ready; and those that have only answered, with the seconds that they may need.
        """
        ready, answered = 0, dict[Pipe, float]()
        for pipe in list(self._pipes):
            if pipe.peer is None or pipe.draining or not self._subscriber.has_told(pipe):
                continue
            if self._is_ready(pipe):
                ready += 1
            elif (answer := self._answer(pipe, pipe.peer)).done:
                answered[pipe] = answer.settling
        return ready, answered

    def _is_ready(self, pipe: Pipe) -> bool:
        if self._settled.get(pipe) is pipe.peer or self._subscriber.is_in_force(pipe):
            return True
        return self._content_with_many and pipe.inbox.is_full

    def _answer(self, pipe: Pipe, peer: PeerInfo) -> Confirmation:
        asked = self._asked.get(pipe)
        if asked is None or asked.peer is not peer:
            asked = self._asked[pipe] = _Asked(peer, pipe.inbox.source.confirm(), self._subscriber.changes)
        return asked.answer

    def settle(self, answered: Iterable[Pipe]) -> None:
        """These had their moment, unless they have left meanwhile."""
        for pipe in answered:
            asked = self._asked[pipe]
            if pipe.peer is asked.peer:
                self._settled[pipe] = asked.peer
                self._subscriber.note_in_force(pipe, asked.changes)
