"""One process of a measurement. Its arguments are PEER WORK SIDE WARM COUNT DEADLINE [PROFILE].

`bench.harness` starts it, with a module path like its own. The side that connects reads its endpoints from the
first line of standard input.
"""

from __future__ import annotations

import cProfile
import signal
import sys
from collections.abc import Sequence

from . import peers, works
from .job import Job


def main(arguments: Sequence[str]) -> None:
    """Do one side of one work once."""
    peer_name, work_name, side, warm, count, deadline, *profile = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the harness ends its workers
    if hasattr(signal, "alarm"):
        signal.alarm(int(float(deadline)))  # so that no worker outlives a harness that was killed
    work, peer = works.by_name(work_name), peers.load(peer_name)
    function = peer.works[work.kind][work.kind.sides.index(side)]
    endpoints = tuple(sys.stdin.readline().split()) if side == "connect" else ()
    job = Job(work=work, warm=int(warm), count=int(count), endpoints=endpoints)
    if not profile:
        peer.run(function, job)
        return
    profiler = cProfile.Profile()
    profiler.runcall(peer.run, function, job)
    profiler.dump_stats(profile[0])
