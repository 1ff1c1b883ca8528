"""Clients and workers of a proxy that runs in the other process."""

from __future__ import annotations

from contextlib import ExitStack

from ..job import Job
from . import zmtp
from .exchange import exchange


def run(job: Job) -> None:
    """Be all of them."""
    frontend, backend = job.endpoints
    with ExitStack() as stack:
        workers = [stack.enter_context(zmtp.dial(backend)) for _ in range(job.work.workers)]
        clients = [stack.enter_context(zmtp.dial(frontend)) for _ in range(job.work.clients)]
        seconds, count = exchange(job, clients, workers)
        job.report(seconds, count=count)
        job.wait_end()
