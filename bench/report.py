"""What is printed and saved."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from .goals import Medians, Verdict
from .harness import Series, Settings
from .kinds import Unit, Work

_REFERENCES = ("pyzmq", "zmq-anyio", "trio-stream", "trio-channel")
_MORE_EXPECTED = 1.0
"""A load from which the peers compete with others; what this program did a minute ago counts too."""
_DISTRIBUTIONS = ("trio", "pyzmq", "zmq-anyio", "pynng", "pyomq")


def environment() -> dict[str, Any]:
    """The machine and the versions, for the header and for the file."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = {"triomq": _own_version(), **{name: _version(name) for name in _DISTRIBUTIONS}}
    if importlib.util.find_spec("zmq"):
        versions["libzmq"] = importlib.import_module("zmq").zmq_version()
    return {
        "cores": cores,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "versions": versions,
    }


def _own_version() -> str | None:
    """What is measured need not be installed: it may be the checkout."""
    try:
        version: str = importlib.import_module("triomq").__version__
    except Exception:
        return None
    return version


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def header(found: Mapping[str, Any], settings: Settings) -> str:
    """The first lines of the report."""
    versions = ", ".join(f"{name} {version or '(no version)'}" for name, version in found["versions"].items())
    load = "unknown" if found["load"] is None else f"{found['load']:.1f}"
    if (found["load"] or 0.0) > _MORE_EXPECTED:
        load += " (busy: do not trust the ratios, those of round trips least)"
    return (
        f"{found['cores']} cores, {found['python']}, {found['system']}, load before {load}\n"
        f"{versions}\n"
        f"{settings.rounds} rounds of about {settings.seconds:g} s; medians, ratios are of medians"
    )


def medians(results: Iterable[Series]) -> Medians:
    """All medians by work and peer."""
    return {(series.work.name, series.peer): series.median for series in results}


def table(work: Work, peers: Sequence[str], results: Sequence[Series]) -> str:
    """One work: a row for each peer, a dash where a peer does not offer it.

    `results` are those of all works so far: the references may be another work's.
    """
    known = medians(results)
    base = work.base or work.name
    references = {peer: value for peer in _REFERENCES if (value := known.get((base, peer)))}
    better = "less is better" if work.unit.lower_is_better else "more is better"
    rows = [["", work.unit.value, "min – max", *work.details, "CPU µs", *(f"× {peer}" for peer in references)]]
    for peer in peers:
        series = next((s for s in results if s.work is work and s.peer == peer), None)
        rows.append([peer, *_cells(series, references)])
    failures = [f"  ! {s.peer}: {text}" for s in results if s.work is work for text in dict.fromkeys(s.failures)]
    return "\n".join([f"{work.name}: {work.title} ({better})", *_aligned(rows), *failures])


def _cells(series: Series | None, references: Mapping[str, float]) -> list[str]:
    if series is None:
        return ["—"]
    median = series.median
    if median is None:
        return ["failed"]
    unit, figures = series.work.unit, series.figures
    spread = f"{number(min(figures), unit)} – {number(max(figures), unit)}"
    details = ["" if (value := series.detail(name)) is None else number(value, unit) for name in series.work.details]
    ratios = [f"{median / value:.2f}" for value in references.values()]
    return [number(median, unit), spread, *details, _cpu(series), *ratios]


def _cpu(series: Series) -> str:
    """Processor time of each side for a message: a figure that suffers less from what else the machine does."""
    sides = [series.cpu(side) for side in series.work.kind.sides]
    return " + ".join("?" if used is None else _three(used) for used in sides) if any(sides) else ""


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max((len(row[i]) for row in rows if i < len(row)), default=0) for i in range(len(rows[0]))]
    lines = []
    for first, *others in rows:
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=False))
        lines.append("  ".join(["", first.ljust(widths[0]), *cells]))
    return lines


def number(figure: float, unit: Unit) -> str:
    """A figure with three digits that count: ``1.40 M``, ``23.1 k``, ``512``."""
    for factor, letter in ((1e6, " M"), (1e3, " k")):
        if unit is Unit.MESSAGES and figure >= factor:
            return _three(figure / factor) + letter
    return _three(figure)


def _three(figure: float) -> str:
    return f"{figure:.2f}" if figure < 10 else f"{figure:.1f}" if figure < 100 else f"{figure:.0f}"


def as_json(
    found: Mapping[str, Any], settings: Settings, results: Iterable[Series], verdicts: Iterable[Verdict]
) -> dict[str, Any]:
    """Everything, for a file: the samples too."""
    return {
        "environment": dict(found),
        "rounds": settings.rounds,
        "seconds": settings.seconds,
        "results": [
            {
                "work": series.work.name,
                "peer": series.peer,
                "unit": series.work.unit.value,
                "median": series.median,
                "figures": series.figures,
                "samples": [attrs.asdict(sample) for sample in series.samples],
                "failures": series.failures,
            }
            for series in results
        ],
        "goals": [{"goal": str(v.goal), "ratio": v.ratio, "reached": v.reached} for v in verdicts],
    }
