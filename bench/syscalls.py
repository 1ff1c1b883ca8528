"""System calls for each message, by ``strace``: of two runs, one twice as long, only the difference counts.

So what a process calls while it starts and ends is not in the figures. A traced process is several times as slow, which
lets a sender put more messages into one call than it usually can.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from . import harness
from .kinds import Work

_SLOWER = 5
"""How much slower a traced process is, about."""
_LEAST = 0.0005
"""Calls that are rarer than one in so many messages are not shown."""


def available() -> bool:
    """Whether strace is installed."""
    return shutil.which("strace") is not None


async def table(peers: Iterable[str], work: Work, settings: harness.Settings) -> str:
    """A row for each peer and side, with the calls for one message.

    Raises:
      MeasurementError: as `harness.measure`.
    """
    lines = [f"{work.name}: system calls for each message"]
    for peer in peers:
        count = work.clamp(await harness.calibrate(peer, work, settings) / _SLOWER)
        twice = work.clamp(2 * count)
        if twice == count:
            lines.append(f"  {peer}: all runs of this work are equally long")
            continue
        short, long = [await _count(peer, work, number, settings) for number in (count, twice)]
        messages = _messages(work, twice) - _messages(work, count)
        for side, calls in long.items():
            calls.subtract(short[side])
            lines.append(f"  {peer:14} {side:8} {_row(calls, messages)}")
    return "\n".join(lines)


def _messages(work: Work, count: int) -> int:
    return count + work.clamp(count // harness.WARM_SHARE) + int(count * work.load)


def _row(calls: Counter[str], messages: int) -> str:
    shares = {name: number / messages for name, number in calls.most_common() if number / messages >= _LEAST}
    return ", ".join([f"{sum(shares.values()):.3f}", *(f"{name} {share:.3f}" for name, share in shares.items())])


async def _count(peer: str, work: Work, count: int, settings: harness.Settings) -> dict[str, Counter[str]]:
    with tempfile.TemporaryDirectory() as directory:
        files = {side: Path(directory, side) for side in work.kind.sides if side != work.kind.neutral}
        prefixes = {side: ("strace", "-f", "-qq", "-c", "-o", str(path)) for side, path in files.items()}
        await harness.measure(peer, work, count, settings, harness.Inspection(prefixes=prefixes))
        return {side: parse(path.read_text()) for side, path in files.items()}


def parse(summary: str) -> Counter[str]:
    """The calls in a summary of ``strace -c``: the fourth column and the last."""
    calls: Counter[str] = Counter()
    for line in summary.splitlines():
        fields = line.split()
        if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != "total":
            calls[fields[-1]] += int(fields[3])
    return calls
