"""Where the time of a peer goes: both sides of a work, each in its own process under cProfile."""

from __future__ import annotations

import io
import pstats
import tempfile
from pathlib import Path

from . import harness
from .kinds import Work

_FUNCTIONS = 30
_SLOWER = 3
"""How much slower a peer is under cProfile, about."""


async def profile(peer: str, work: Work, settings: harness.Settings) -> str:
    """Run a work once under cProfile; return the top functions of each side.

    Raises:
      MeasurementError: as `harness.measure`.
    """
    count = work.clamp(await harness.calibrate(peer, work, settings) / _SLOWER)
    with tempfile.TemporaryDirectory() as directory:
        files = {side: Path(directory, side) for side in work.kind.sides if side != work.kind.neutral}
        await harness.measure(peer, work, count, settings, harness.Inspection(profiles=files))
        return "\n".join(_top(peer, work, path, count) for path in files.values())


def _top(peer: str, work: Work, path: Path, count: int) -> str:
    text = io.StringIO()
    stats = pstats.Stats(str(path), stream=text).strip_dirs()
    stats.sort_stats("tottime").print_stats(_FUNCTIONS)
    return f"=== {work.name}, {peer}, the side that does {path.name}, {count} messages\n{text.getvalue().rstrip()}\n"
