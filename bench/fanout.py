"""Publications without loss: PUB drops what a subscriber has no room for, so the publisher is paced.

The publisher sends batches with `PUBLISH_BATCH` messages for each subscriber. There are either two topics in turn, of
which each subscriber wants one; or there is one subscriber with many topics, and each message fits one of them: the
messages go through all of the topics, far from one to the next, so that none is found because it was just used.
The subscribers' process acknowledges a batch, over a PUSH → PULL pair of the same peer, when every subscriber has its
share. Six batches may be unacknowledged: 600 messages for one subscriber, under the default HWM of 1000, and enough
that a single subscriber need not wait for acknowledgements.
Between warm-up and measurement everything is acknowledged, so the clock sees exactly the counted deliveries.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

from .job import Job, LostMessageError
from .kinds import PUBLISH_BATCH

_TWO = (b"a", b"b")
_WINDOW = 6
_STRIDE = 617  # a prime: it leads through any number of batches that it is no divisor of


def topics_of(job: Job, subscriber: int) -> list[bytes]:
    """The topics that this subscriber wants."""
    many = job.work.subscriptions
    return [_TWO[subscriber % 2]] if many is None else [b"%06d" % number for number in range(many)]


def subscriptions(job: Job) -> int:
    """How many there are of all subscribers together."""
    return job.work.subscribers * (job.work.subscriptions or 1)


def expected(job: Job) -> Iterator[tuple[bytes, int]]:
    """Topics, and how many want each, that are the last ones to come in."""
    if job.work.subscriptions is not None:
        yield topics_of(job, 0)[-1], 1
        return
    wanted = Counter(topics_of(job, number)[0] for number in range(job.work.subscribers))
    yield from wanted.items()


def batches(job: Job) -> int:
    """How many batches the whole job has."""
    return job.total // (PUBLISH_BATCH * job.work.subscribers)


def _warm_batches(job: Job) -> int:
    return job.warm // (PUBLISH_BATCH * job.work.subscribers)


def _publication(job: Job, topic: bytes, position: int, *, final: bool) -> bytes:
    """What is at this position of a batch; `final` if it may end the last one."""
    bodies = job.bodies()
    body = job.last if final else bodies[position % len(bodies)]
    assert isinstance(body, bytes)
    return topic + body[len(topic) :]


def _rounds(job: Job) -> list[list[bytes]]:
    """The topics of each batch, until they are those of the first one again."""
    if job.work.subscriptions is None:
        return [[*_TWO] * PUBLISH_BATCH]
    topics = topics_of(job, 0)
    number = max(1, len(topics) // PUBLISH_BATCH)
    return [
        [topics[(step * len(topics) // PUBLISH_BATCH + first) % len(topics)] for step in range(PUBLISH_BATCH)]
        for first in (round_ * _STRIDE % number for round_ in range(number))
    ]


def _ends(job: Job, subscriber: int, *, final: bool) -> list[bytes]:
    """What ends this subscriber's share of each batch of a round."""
    topics = [topics_of(job, subscriber)[0]] if job.work.subscriptions is None else [each[-1] for each in _rounds(job)]
    position = len(_TWO) * (PUBLISH_BATCH - 1) + subscriber % len(_TWO)
    return [_publication(job, topic, position, final=final) for topic in topics]


def publications(job: Job) -> Iterator[tuple[int, list[bytes]]]:
    """Each batch, with the number of acknowledgements needed before it; at the end an empty one that needs all."""
    total, warm = batches(job), _warm_batches(job)
    rounds = _rounds(job)
    usual = [[_publication(job, topic, n, final=False) for n, topic in enumerate(topics)] for topics in rounds]
    ends = len(_TWO) if job.work.subscriptions is None else 1
    at_end = (total - 1) % len(rounds)
    last = usual[at_end][:-ends] + [_publication(job, topic, 0, final=True) for topic in rounds[at_end][-ends:]]
    for number in range(total):
        needed = number if number == warm else max(0, number - _WINDOW + 1)
        if number == warm:
            job.start_clock()
        yield needed, last if number == total - 1 else usual[number % len(usual)]
    yield total, []


class Gathering:
    """The subscribers' side: who has which batch, and the clock."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._finished: Counter[int] = Counter()
        self._start = 0.0
        numbers = range(job.work.subscribers)
        self._ends = {final: [_ends(job, number, final=final) for number in numbers] for final in (False, True)}

    def finish(self, subscriber: int, batch: int, last: bytes) -> bool:
        """A subscriber has the whole of a batch, up to `last`. True if now all have: acknowledge it.

        Raises:
          LostMessageError: `last` is not what ends this batch.
        """
        final = batch == batches(self._job) - 1
        ends = self._ends[final][subscriber]
        if last != ends[batch % len(ends)]:
            raise LostMessageError(f"subscriber {subscriber}, batch {batch} ends with {last[:20]!r}")
        self._finished[batch] += 1
        if self._finished[batch] < self._job.work.subscribers:
            return False
        if batch == _warm_batches(self._job) - 1:
            self._start = self._job.start_clock()
        elif final:
            self._job.measured(time.perf_counter() - self._start, self._job.last)
        return True
