"""Who takes jobs, who has which job, and what becomes of the jobs of a worker that is lost. Nothing here waits.

Theory of operation

A *worker* is one connection of a receiver, from its probe on; a token tells it from those before under the same routing
id. It has *credit*: as many jobs as it has asked for and was not given. Of the workers with credit, the next job goes
to the one with the fewest unfinished jobs; of several such, to the one that has waited longest. So a worker that asks
for jobs ahead of time gets them only while nobody is idle.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Container
from typing import Protocol

import attrs

from ..._message import Frames, Message
from ._wire import MOST_CREDIT


class Answer(Protocol):
    """A caller that waits for the result of a job."""

    def done(self, result: Message) -> None:
        """The job was done."""

    def lost(self, why: str) -> None:
        """Nobody knows whether the job was done, and it is not handed out again."""

    def close(self) -> None:
        """The channel was closed first."""


@attrs.define(eq=False)
class Job:
    """A job, from when it is sent until it is done.

    Attributes:
      frames: what it is made of.
      answer: the caller that waits for the result; None if none does.
      wanted: it is to be handed out again if its worker is lost.
      repeated: how many times it was.
    """

    frames: Frames
    answer: Answer | None = None
    wanted: bool = True
    repeated: int = 0


@attrs.define(eq=False)
class Worker:
    """One connection of a receiver.

    Attributes:
      credit: jobs that it has asked for and was not given.
      unfinished: the jobs that it has, by number, the oldest first.
      level: where it stands among the workers with credit; None if it has none.
    """

    routing_id: bytes
    token: bytes
    credit: int = 0
    unfinished: dict[bytes, Job] = attrs.field(factory=dict)
    level: int | None = None


class Ledger:
    """The workers of a job sender and their jobs.

    Args:
      most_repeats: how many times a job is handed out again.
      max_credit: jobs that one worker may have at a time, however many it asks for.

    Attributes:
      again: jobs whose worker was lost, to be handed out before any other.
      unfinished: jobs that workers have.
      done, repeated, lost: jobs so far.
    """

    def __init__(self, most_repeats: float, max_credit: int) -> None:
        self.again: deque[Job] = deque()
        self.unfinished: int = 0
        self.done: int = 0
        self.repeated: int = 0
        self.lost: int = 0
        self._most_repeats = most_repeats
        self._max_credit = max_credit
        self._workers: dict[bytes, Worker] = {}
        # The workers that may be given a job, by how many they have; in each, the longest waiting first.
        self._levels: list[OrderedDict[Worker, None]] = [OrderedDict() for _ in range(max_credit)]
        self._number = 0

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return len(self._workers)

    @property
    def busy(self) -> bool:
        """A job was accepted that is neither done nor lost."""
        return bool(self.unfinished or self.again)

    def close(self) -> None:
        """Tell those who wait for results that none will come."""
        for jobs in (self.again, *(worker.unfinished.values() for worker in self._workers.values())):
            for job in jobs:
                if job.answer is not None:
                    job.answer.close()

    # --- what workers say -------------------------------------------------------------------

    def arrive(self, routing_id: bytes, token: bytes) -> None:
        """A worker has a new connection, and has no jobs."""
        self.leave(routing_id)
        self._workers[routing_id] = Worker(routing_id, token)

    def grant(self, routing_id: bytes, token: bytes, count: int) -> bool:
        """The worker takes ``count`` more jobs. Returns: False if there is no such worker."""
        worker = self._find(routing_id, token)
        if worker is None:
            return False
        worker.credit = min(worker.credit + count, MOST_CREDIT)
        if worker.level is None:
            self._place(worker)
        return True

    def finish(self, routing_id: bytes, token: bytes, number: bytes, result: Message) -> bool:
        """The worker has done the job. Returns: False if it has no such job."""
        job = self._take_from(routing_id, token, number)
        if job is None:
            return False
        self.done += 1
        if job.answer is not None:
            job.answer.done(result)
        return True

    def give_back(self, routing_id: bytes, token: bytes, number: bytes) -> bool:
        """The worker has given the job up. Returns: False if it has no such job."""
        job = self._take_from(routing_id, token, number)
        if job is None:
            return False
        self._lose(job, "the worker gave the job up")
        return True

    def leave(self, routing_id: bytes) -> None:
        """The worker is gone, with what it was given."""
        worker = self._workers.pop(routing_id, None)
        if worker is None:
            return
        self._take_off(worker)
        self.unfinished -= len(worker.unfinished)
        for job in worker.unfinished.values():
            self._lose(job, "the connection to the worker was lost")

    def keep_only(self, routing_ids: Container[bytes]) -> None:
        """All other workers are gone."""
        for routing_id in [routing_id for routing_id in self._workers if routing_id not in routing_ids]:
            self.leave(routing_id)

    def _find(self, routing_id: bytes, token: bytes) -> Worker | None:
        worker = self._workers.get(routing_id)
        return worker if worker is not None and worker.token == token else None

    def _take_from(self, routing_id: bytes, token: bytes, number: bytes) -> Job | None:
        worker = self._find(routing_id, token)
        job = None if worker is None else worker.unfinished.pop(number, None)
        if worker is not None and job is not None:
            self.unfinished -= 1
            self._place(worker)
        return job

    def _lose(self, job: Job, why: str) -> None:
        if job.wanted and job.repeated < self._most_repeats:
            job.repeated += 1
            self.repeated += 1
            self.again.append(job)
            return
        self.lost += 1
        if job.answer is not None:
            job.answer.lost(f"{why}, for the {job.repeated + 1}. time" if job.repeated else why)

    # --- handing out ------------------------------------------------------------------------

    def free_worker(self) -> Worker | None:
        """The worker that gets the next job."""
        for level in self._levels:
            if level:
                return next(iter(level))
        return None

    def abandon(self, job: Job) -> None:
        """Nobody waits for the result any more: do not hand the job out again."""
        job.wanted = False
        job.answer = None
        if job in self.again:
            self.again.remove(job)
            self.lost += 1

    def hand(self, worker: Worker, job: Job) -> bytes:
        """Give the job to a `free_worker`. Returns: the job's number."""
        self._number += 1
        number = b"%d" % self._number
        worker.unfinished[number] = job
        worker.credit -= 1
        self.unfinished += 1
        self._place(worker)
        return number

    def take_back(self, worker: Worker, number: bytes) -> None:
        """Undo `hand`: the job could not be sent, and this worker is no use any more."""
        del worker.unfinished[number]
        self.unfinished -= 1
        self.leave(worker.routing_id)

    def _place(self, worker: Worker) -> None:
        """Let the worker wait for a job behind those that have as many, if it may be given one."""
        self._take_off(worker)
        level = len(worker.unfinished)
        if worker.credit and level < self._max_credit:
            worker.level = level
            self._levels[level][worker] = None

    def _take_off(self, worker: Worker) -> None:
        if worker.level is not None:
            del self._levels[worker.level][worker]
            worker.level = None
