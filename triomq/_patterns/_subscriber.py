"""SUB and XSUB: the messages that were asked for (RFC 29)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat

from .. import zmtp
from .._message import Frames
from .._options import Options
from .._pipes import FirstSubscribe, Pipe, Received
from ._distributor import Distributor
from ._fair import FairReceiver
from ._pattern import Budget, Sender
from ._subscriptions import TopicFilter
from ._topics import SUBSCRIBE, as_topic, split_subscriptions

_TOLD_TOGETHER = 64  # topics that a new publisher is told, before other tasks run: 0.2 ms


class Subscriber(FairReceiver):
    """SUB: the messages of all publishers that begin with a subscribed topic; each publisher is told the topics.

    Attributes:
      topics: what is subscribed to.
      changes: subscriptions and cancellations so far.
    """

    interprets = True

    def __init__(self, options: Options, rng: random.Random, turn: Budget) -> None:
        super().__init__(options, rng, turn)
        self.topics: TopicFilter = TopicFilter()
        self.changes: int = 0
        self._telling: dict[Pipe, object] = {}  # publishers that are still being told the topics, and their peers
        self._in_force: dict[Pipe, int] = {}  # publishers, and how many changes each has taken in

    def subscribe(self, topic: bytes) -> None:
        """Want messages that begin with the topic, once more than before."""
        self.repeat(Subscriber.subscribe, topic)
        self.changes += 1
        first = self.topics.add(topic)
        event = FirstSubscribe(topic) if first else zmtp.Subscribe(topic)
        for pipe in self.pipes:  # each time: a verbose XPUB, behind any number of proxies, is to know
            pipe.control(event)

    def unsubscribe(self, topic: bytes) -> bool:
        """Take back one `subscribe`. Returns: False if there was none."""
        self.changes += 1
        last = self.topics.remove(topic)
        if last:
            self.repeat(Subscriber.cancel, topic)
            for pipe in self.pipes:
                pipe.control(zmtp.Cancel(topic))
        return last is not None

    def cancel(self, topic: bytes) -> None:
        """Take back every `subscribe` of the topic: what a double does, which knows nothing of how many there were."""
        while topic in self.topics:
            self.unsubscribe(topic)

    def begin_repeating(self, repeating: Callable[..., None]) -> None:
        self.repeat = repeating
        for topic in self.topics:
            repeating(Subscriber.subscribe, topic)

    def ready(self, pipe: Pipe) -> None:
        work = self._tell(pipe, list(self.topics))
        if len(self.topics) > _TOLD_TOGETHER:
            self._telling[pipe] = pipe.peer
            next(work, None)
            self.chores.start(work)
        else:
            next(work, None)

    def lost(self, pipe: Pipe) -> None:
        self._telling.pop(pipe, None)
        self._in_force.pop(pipe, None)

    def has_told(self, pipe: Pipe) -> bool:
        """Whether the publisher was told all topics; if not, the watchers are woken when it was."""
        return pipe not in self._telling

    def note_in_force(self, pipe: Pipe, changes: int) -> None:
        """The publisher has taken in ``changes`` changes."""
        self._in_force[pipe] = changes

    def is_in_force(self, pipe: Pipe) -> bool:
        """Whether the publisher is known to have taken in all changes."""
        return self._in_force.get(pipe) == self.changes

    def _tell(self, pipe: Pipe, topics: list[bytes]) -> Iterator[None]:
        """Tell a new publisher, piece by piece, what is subscribed to; topics that are cancelled meanwhile are not."""
        peer = pipe.peer
        for start in range(0, len(topics), _TOLD_TOGETHER):
            if pipe.peer is not peer:
                return
            for topic in topics[start : start + _TOLD_TOGETHER]:
                if topic in self.topics:
                    pipe.control(FirstSubscribe(topic))
            yield
        if self._telling.get(pipe) is peer:
            del self._telling[pipe]
            self.watchers.wake()

    def interpret(self, pipe: Pipe, events: Sequence[Received]) -> Sequence[Frames]:
        """Filter once more: a publisher may not know yet what was cancelled, or not filter at all."""
        messages: Sequence[Frames] = events  # type: ignore[assignment]  # see wanted
        few, inverted = self.topics.few, self.options.invert_matching
        if not inverted and self.topics.matches_all(messages):
            return messages
        # The first frames, all at once: the index of a `Message` is a call of Python.
        firsts: tuple[bytes, ...] = next(zip(*messages, strict=False), ())
        wanted = map(self.topics.matches, firsts) if few is None else map(bytes.startswith, firsts, repeat(few))
        return [message for message, match in zip(messages, wanted, strict=True) if match is not inverted]


class XSubscriber(Subscriber, Sender):
    """XSUB: a SUB whose subscriptions are messages sent; other messages go to every publisher."""

    def __init__(self, options: Options, rng: random.Random, turn: Budget) -> None:
        super().__init__(options, rng, turn)
        self._distributor = Distributor()

    def submit(self, message: Frames) -> bool:
        subscriptions, rest = split_subscriptions(message)
        for frame in subscriptions:
            as_topic(frame[1:])  # before any of them takes effect
        for frame in subscriptions:
            if frame[:1] == SUBSCRIBE:
                self.subscribe(frame[1:])
            else:
                self.unsubscribe(frame[1:])
        if rest:
            self._distributor.send(rest, [pipe for pipe in self.pipes if pipe.peer is not None])
        return True
