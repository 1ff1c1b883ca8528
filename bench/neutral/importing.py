"""How long the import of a peer's library takes, in processes that have imported nothing else."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

from ..job import Job

_PROGRAM = """
import sys, time
sys.path[:] = {path!r}
before = time.perf_counter()
import {module}
print(time.perf_counter() - before)
"""


def run(job: Job) -> None:
    """Import so many times; the figure is the median. The interpreter's own start does not count."""
    assert job.module is not None
    command = [sys.executable, "-P", "-c", _PROGRAM.format(path=sys.path, module=job.module)]
    # Of what was installed there is bytecode, and so there shall be of a checkout: to compile it is not the import.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    times = []
    for number in range(1 + job.count):
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        if number:  # the first one finds files that are not in the system's cache, or writes bytecode
            times.append(float(done.stdout))
    job.report(sum(times), value=statistics.median(times) * 1e3)
    job.wait_end()
