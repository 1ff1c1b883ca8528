"""One process of a measurement. Its arguments are PEER WORK SIDE WARM COUNT DEADLINE [PROFILE].

`bench.harness` starts it, with a module path like its own. The side that connects reads the other's process id and its
endpoints from the first line of standard input.
"""

from __future__ import annotations

import cProfile
import signal
import sys
from collections.abc import Sequence

from . import peers, works
from .job import Job


def _allow_many_files() -> None:
    """Thousands of connections need more than the usual 1024."""
    try:
        import resource
    except ImportError:  # not on Windows, which has no such limit
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(arguments: Sequence[str]) -> None:
    """Do one side of one work once."""
    peer_name, work_name, side, warm, count, deadline, *profile = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the harness ends its workers
    if hasattr(signal, "alarm"):
        signal.alarm(int(float(deadline)))  # so that no worker outlives a harness that was killed
    _allow_many_files()
    work, peer = works.by_name(work_name), peers.load(peer_name)
    run, function = peer.side(work.kind, side)
    server, *endpoints = sys.stdin.readline().split() if side == "connect" else ("0",)
    job = Job(
        work=work, warm=int(warm), count=int(count), endpoints=tuple(endpoints), server=int(server),
        module=peer.module, options=peer.options,
    )  # fmt: skip
    if profile:
        profiler = cProfile.Profile()
        profiler.runcall(run, function, job)
        profiler.dump_stats(profile[0])
    else:
        run(function, job)
    job.report_cpu()
