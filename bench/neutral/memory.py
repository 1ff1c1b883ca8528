"""How much memory the other process takes for connections that do nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ..job import Job
from . import zmtp
from .crowd import connected

_SETTLE = 0.3


def _resident(pid: int) -> int:
    """Octets of a process that are in memory (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def run(job: Job) -> None:
    """Weigh the other process before and after."""
    with zmtp.dial(job.endpoints[0]):  # what is loaded with the first connection is not the connections' weight
        time.sleep(_SETTLE)
        before = _resident(job.server)
        with connected(job.endpoints[0], job.work.idle):
            time.sleep(_SETTLE)
            after = _resident(job.server)
            job.report(0.0, count=job.work.idle, value=(after - before) / job.work.idle / 1024)
            job.wait_end()
