"""An open loop: requests are due at fixed times, however long the replies to earlier ones take.

The time from when a request was *due* to its reply is what counts. So a server that stands still for a while pays for
every request that came due meanwhile, which a client that waits for its replies would hide.
"""

from __future__ import annotations

import select
import socket
from time import perf_counter

from .. import quantiles
from ..job import Job, LostMessageError
from . import zmtp
from .exchange import exchange

_MOST = 262_144


def run(job: Job) -> None:
    """Find the greatest rate, with so many requests in flight; then keep to a schedule at a share of it."""
    with zmtp.dial(job.endpoints[0]) as connection:
        seconds, count = exchange(job, [connection])
        interval = seconds / count / job.work.load
        delays = scheduled(connection, job, interval)
        found = quantiles.summary(delays)
        job.report(interval * len(delays), count=len(delays), value=found["p99"], **found, rate=1 / interval)
        job.wait_end()


def scheduled(connection: socket.socket, job: Job, interval: float) -> list[float]:
    """Send requests at their times; return how long each took from then to its reply, in µs."""
    message, last = job.message, job.last
    assert isinstance(last, bytes)
    usual, final, total = zmtp.frame(message), zmtp.frame(last), job.scheduled
    delays: list[float] = []
    sent = partial = 0
    data = b""
    start = perf_counter() + interval
    while len(delays) < total:
        now = perf_counter()
        due = min(total, int((now - start) / interval) + 1) if now >= start else 0
        if due > sent:
            connection.sendall(usual * (due - sent - 1) + (final if due == total else usual))
            sent = due
        # select(), for its timeout has microseconds where poll() and epoll() have milliseconds.
        wait = max(0.0, start + sent * interval - perf_counter()) if sent < total else None
        if not select.select([connection], [], [], wait)[0]:
            continue
        data = connection.recv(_MOST)
        if not data:
            raise ConnectionError("the other side is gone")
        now = perf_counter()
        number, partial = divmod(partial + len(data), len(usual))
        first = len(delays)
        delays += [(now - start - index * interval) * 1e6 for index in range(first, first + number)]
    if data[-1:] != last[-1:]:
        raise LostMessageError(f"the last reply ends with {data[-1:]!r}")
    return delays
