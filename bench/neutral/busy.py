"""A peer that asks a program that computes whether it lives: how late is the answer?"""

from __future__ import annotations

import time

from .. import quantiles
from ..job import Job
from . import zmtp

_EVERY = 0.01
"""Seconds from an answer to the next question; so questions come at any time of the other side's work."""


def run(job: Job) -> None:
    """Send one PING after the other, and wait for the PONG of each."""
    delays: list[float] = []
    with zmtp.finish(zmtp.begin(job.endpoints[0], b"PUSH", heartbeats=True)) as connection:
        for number in range(job.total):
            if number == job.warm:
                job.start_clock()
            time.sleep(_EVERY)
            asked = time.perf_counter()
            connection.sendall(zmtp.PING)
            answer = zmtp.exactly(connection, len(zmtp.PONG))
            if answer != zmtp.PONG:
                raise ConnectionError(f"{answer!r} came, not a PONG")
            if number >= job.warm:
                delays.append((time.perf_counter() - asked) * 1e6)
        found = quantiles.summary(delays)
        job.report(sum(delays) / 1e6, value=found["p99"], **found)
        job.wait_end()
