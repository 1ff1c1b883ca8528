"""Connections that do nothing, and some that send requests."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ..job import Job
from . import zmtp
from .exchange import exchange

_AT_A_TIME = 50
"""Connections that are made before the first of them is waited for: less than any backlog."""


@contextmanager
def connected(endpoint: str, number: int) -> Iterator[list[socket.socket]]:
    """Make so many connections."""
    with ExitStack() as stack:
        made: list[socket.socket] = []
        while len(made) < number:
            few = min(_AT_A_TIME, number - len(made))
            begun = [stack.enter_context(zmtp.begin(endpoint)) for _ in range(few)]
            made += [zmtp.finish(connection) for connection in begun]
        yield made


def run(job: Job) -> None:
    """Send requests over some connections, with the others idle."""
    with connected(job.endpoints[0], job.work.idle), connected(job.endpoints[0], job.work.clients) as clients:
        seconds, count = exchange(job, clients)
        job.report(seconds, count=count)
        job.wait_end()
