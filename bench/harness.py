"""Runs measurements: starts the processes of one, introduces them to each other, and reaps them whatever happens."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import trio

from .kinds import Sample, Work
from .peers import Peer
from .quantiles import WORST

_BOOT = "import sys; sys.path[:] = {path!r}; from bench.worker import main; main(sys.argv[1:])"
WARM_SHARE = 10
"""Of so many messages one goes before the clock starts."""
_CALIBRATION_MINIMUM = 0.05
_CALIBRATION_GROWTH = 20
_STARTING = 0.4
"""Seconds that the processes of a measurement take to start, to warm up, and to end."""
_MOST_FAILURES = 2
"""After these a series is given up: each may have taken until the deadline."""

Progress: TypeAlias = Callable[[str], None]


class MeasurementError(Exception):
    """A measurement gave no figure; the text says in which phase, and what the worker said."""


@attrs.define
class Series:
    """All measurements of one peer at one work."""

    work: Work
    peer: str
    count: int = 0
    samples: list[Sample] = attrs.field(factory=list)
    failures: list[str] = attrs.field(factory=list)

    @property
    def figures(self) -> list[float]:
        """The samples in the work's unit."""
        return [self.work.figure(sample) for sample in self.samples]

    @property
    def median(self) -> float | None:
        """The figure that is reported and compared, None without a sample."""
        return statistics.median(self.figures) if self.samples else None

    def cpu(self, side: str) -> float | None:
        """The median of a side's processor time for one message, in µs; None where it is not known."""
        known = [sample.cpu[side] for sample in self.samples if side in sample.cpu]
        return statistics.median(known) if known else None

    def detail(self, name: str) -> float | None:
        """The median of something else that was measured; of what is the worst of each sample, the worst of all."""
        known = [sample.details[name] for sample in self.samples if name in sample.details]
        if not known:
            return None
        return max(known) if name == WORST else statistics.median(known)


@attrs.frozen(kw_only=True)
class Settings:
    """How to measure.

    Attributes:
      rounds: samples of each series.
      seconds: what one measurement should take.
    """

    rounds: int = 7
    seconds: float = 0.5

    @property
    def deadline(self) -> float:
        """Seconds after which a measurement is given up, and its processes are killed."""
        return 20.0 + 5.0 * self.seconds


@attrs.frozen(kw_only=True)
class Inspection:
    """What else is to be done with the processes, by side.

    Attributes:
      profiles: where a profile of the process shall go.
      prefixes: a command that runs the process.
    """

    profiles: Mapping[str, Path] = attrs.field(factory=dict)
    prefixes: Mapping[str, Sequence[str]] = attrs.field(factory=dict)


async def _kill(process: trio.Process) -> None:
    os.killpg(process.pid, signal.SIGKILL)  # what it has started, too


class _Worker:
    """One process of a measurement. It belongs to the nursery: when that is cancelled, it is killed and reaped."""

    def __init__(self, process: trio.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._stdin, self._stdout = process, process.stdin, process.stdout
        self._unread = b""

    @classmethod
    async def start(cls, nursery: trio.Nursery, arguments: Sequence[str], prefix: Sequence[str] = ()) -> _Worker:
        """Start a process that imports from where this one does, and give it these arguments."""
        command = [*prefix, sys.executable, "-P", "-c", _BOOT.format(path=sys.path), *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "capture_stderr": True}
        run = partial(trio.run_process, **pipes, deliver_cancel=_kill, start_new_session=True)
        return cls(await nursery.start(run, command))

    async def say(self, words: Iterable[str]) -> None:
        """Write one line."""
        try:
            await self._stdin.send_all((" ".join(words) + "\n").encode())
        except trio.BrokenResourceError:
            await trio.sleep_forever()  # it died: the nursery knows why

    async def hear(self, key: str) -> dict[str, Any]:
        """Read lines up to one with this key."""
        while True:
            line, found, self._unread = self._unread.partition(b"\n")
            if found:
                fields: dict[str, Any] = json.loads(line)
                if key in fields:
                    return fields
                continue
            more = await self._stdout.receive_some()
            if not more:
                await self._process.wait()
                await trio.sleep(1)  # if it failed, that has cancelled us by now
                raise MeasurementError(f"a worker ended without {key}")
            self._unread = line + more

    async def end(self) -> None:
        """Tell it to end; the nursery waits until it does."""
        await self._stdin.aclose()


def _reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = next((e for e in error.exceptions if isinstance(e, subprocess.CalledProcessError)), error.exceptions[0])
    if isinstance(error, trio.TooSlowError):
        return "the deadline passed"
    if isinstance(error, subprocess.CalledProcessError):
        lines = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        return lines[-1].strip(" |") if lines else f"a worker ended with status {error.returncode}"
    return str(error) or repr(error)


async def measure(
    peer: str, work: Work, count: int, settings: Settings, inspection: Inspection | None = None
) -> Sample:
    """Measure once, in fresh processes.

    Raises:
      MeasurementError: a worker failed, a message was lost, or the deadline passed.
    """
    warm = work.clamp(count // WARM_SHARE)
    inspection = inspection or Inspection()
    phase = "starting"
    try:
        with trio.fail_after(settings.deadline):
            async with trio.open_nursery() as nursery:
                workers = {}
                for side in work.kind.sides:
                    arguments = [peer, work.name, side, str(warm), str(count), str(settings.deadline + 5)]
                    arguments += [str(inspection.profiles[side])] if side in inspection.profiles else []
                    prefix = inspection.prefixes.get(side, ())
                    workers[side] = await _Worker.start(nursery, arguments, prefix)
                if "connect" in workers:
                    served = await workers["bind"].hear("endpoints")
                    await workers["connect"].say([str(served["pid"]), *served["endpoints"]])
                phase = "measuring"
                result = await workers[work.kind.measuring_side].hear("seconds")
                phase = "ending"
                cpu = {}
                for worker in workers.values():
                    await worker.end()
                for side, worker in workers.items():
                    heard = await worker.hear("cpu")
                    cpu[side] = heard.pop("cpu")
                    result |= heard
    except (Exception, BaseExceptionGroup) as error:
        if isinstance(error, BaseExceptionGroup) and error.split(Exception)[1] is not None:
            raise
        raise MeasurementError(f"{phase}: {_reason(error)}") from error
    known = {side: used for side, used in cpu.items() if used is not None}
    fields = {name: result.pop(name, None) for name in ("count", "seconds", "value")}
    return Sample(**fields, cpu=known, details=result)


async def calibrate(peer: str, work: Work, settings: Settings) -> int:
    """How many messages take about the wanted time; by runs of growing length, which are not counted.

    Raises:
      MeasurementError: as `measure`.
    """
    count = work.clamp(work.first_count)
    while not work.is_fixed:
        sample = await measure(peer, work, count, settings)
        wanted = work.clamp(sample.count / sample.seconds * settings.seconds)
        if sample.seconds >= min(_CALIBRATION_MINIMUM, settings.seconds) or wanted <= count:
            return wanted
        count = min(wanted, work.clamp(count * _CALIBRATION_GROWTH))
    return count


def lines_of(
    works: Sequence[Work], peers: Mapping[str, Peer], only: Collection[tuple[str, str]] | None
) -> list[Series]:
    """What `run_works` measures."""
    offered = [(work, name) for work in works for name, peer in peers.items() if work.wants(name) and peer.offers(work)]
    return [Series(work, name) for work, name in offered if only is None or (work.name, name) in only]


def rounds_of(line: Series, settings: Settings, often: Collection[tuple[str, str]] | None) -> range:
    """The rounds in which a series is measured: each, or every other one."""
    seldom = often is not None and (line.work.name, line.peer) not in often
    return range(0, settings.rounds, 2 if seldom else 1)


def minutes(lines: Iterable[Series], settings: Settings, often: Collection[tuple[str, str]] | None) -> float:
    """About how long all of them take: two calibrations each, and their rounds."""
    return (
        sum(2 * _STARTING + len(rounds_of(line, settings, often)) * (settings.seconds + _STARTING) for line in lines)
        / 60
    )


async def run_works(
    works: Sequence[Work],
    peers: Mapping[str, Peer],
    settings: Settings,
    progress: Progress,
    only: Collection[tuple[str, str]] | None = None,
    often: Collection[tuple[str, str]] | None = None,
) -> list[Series]:
    """Measure works of one group with all peers that offer them, in turn, the order reversed from round to round.

    A series whose calibration fails has no samples; a measurement that fails is missing in its series, and the second
    one that fails ends it.

    Args:
      only: the names of works and peers that are to be measured; None for all.
      often: those that are measured in each round, and others in every other one; None for all.
    """
    lines = lines_of(works, peers, only)
    for line in lines:
        progress(f"{line.work.name}: calibrating {line.peer}")
        try:
            line.count = await calibrate(line.peer, line.work, settings)
        except MeasurementError as error:
            line.failures.append(str(error))
    for number in range(settings.rounds):
        for line in lines if number % 2 == 0 else reversed(lines):
            if not line.count or len(line.failures) >= _MOST_FAILURES or number not in rounds_of(line, settings, often):
                continue
            progress(f"{line.work.name}: round {number + 1} of {settings.rounds}, {line.peer}, {line.count} messages")
            try:
                line.samples.append(await measure(line.peer, line.work, line.count, settings))
            except MeasurementError as error:
                line.failures.append(str(error))
    return lines
