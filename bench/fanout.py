"""Publications without loss: PUB drops what a subscriber has no room for, so the publisher is paced.

The publisher sends batches of `PUBLISH_BATCH` messages for each of two topics, in turn one of each. The
subscribers' process acknowledges a batch, over a PUSH → PULL pair of the same peer, when every subscriber has its
share. Two batches may be unacknowledged: 200 messages for one subscriber, well under the default HWM of 1000.
Between warm-up and measurement everything is acknowledged, so the clock sees exactly the counted deliveries.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

from .job import Job, LostMessageError
from .works import PUBLISH_BATCH

TOPICS = (b"a", b"b")
_WINDOW = 2


def topic_of(subscriber: int) -> bytes:
    """The topic that this subscriber wants."""
    return TOPICS[subscriber % 2]


def batches(job: Job) -> int:
    """How many batches the whole job has."""
    return job.total // (PUBLISH_BATCH * job.work.subscribers)


def _publication(job: Job, topic: bytes, *, final: bool) -> bytes:
    body = job.last if final else job.message
    assert isinstance(body, bytes)
    return topic + body[1:]


def _warm_batches(job: Job) -> int:
    return job.warm // (PUBLISH_BATCH * job.work.subscribers)


def publications(job: Job) -> Iterator[tuple[int, list[bytes]]]:
    """Each batch, with the number of acknowledgements needed before it; at the end an empty one that needs all."""
    total, warm = batches(job), _warm_batches(job)
    usual = [_publication(job, topic, final=False) for topic in TOPICS] * PUBLISH_BATCH
    last = usual[: -len(TOPICS)] + [_publication(job, topic, final=True) for topic in TOPICS]
    for number in range(total):
        needed = number if number == warm else max(0, number - _WINDOW + 1)
        yield needed, last if number == total - 1 else usual
    yield total, []


class Gathering:
    """The subscribers' side: who has which batch, and the clock."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._finished: Counter[int] = Counter()
        self._start = 0.0

    def finish(self, subscriber: int, batch: int, last: bytes) -> bool:
        """A subscriber has the whole of a batch, up to `last`. True if now all have: acknowledge it.

        Raises:
          LostMessageError: `last` is not what ends this batch.
        """
        final = batch == batches(self._job) - 1
        if last != _publication(self._job, topic_of(subscriber), final=final):
            raise LostMessageError(f"subscriber {subscriber}, batch {batch} ends with {last[:20]!r}")
        self._finished[batch] += 1
        if self._finished[batch] < self._job.work.subscribers:
            return False
        if batch == _warm_batches(self._job) - 1:
            self._start = time.perf_counter()
        elif final:
            self._job.measured(time.perf_counter() - self._start, self._job.last)
        return True
