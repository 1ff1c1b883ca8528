"""The pictures of the page on performance, drawn from the figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from . import works
from .figures import Figure, Figures
from .kinds import Kind, Unit, Work
from .report import number

Axes: TypeAlias = Any
Line: TypeAlias = list[tuple[float, float]]

_PEERS = {
    "triomq": ("triomq", "#c1272d", "o"),
    "pyzmq": ("pyzmq, blocking", "#0b5fa5", "s"),
    "pyomq": ("pyomq, blocking (Rust)", "#7a4fa3", "^"),
    "pyzmq-asyncio": ("zmq.asyncio", "#2a9d8f", "D"),
    "zmq-anyio": ("zmq-anyio on trio", "#e39a1f", "v"),
    "pynng": ("pynng on trio", "#7f7f7f", "P"),
    "trio-stream": ("raw trio stream", "#222222", "x"),
}
"""For each peer that is drawn: its name, its colour, and its mark, so that no picture is told by colour alone."""

_STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.labelcolor": "#222222",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.8,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "triomq",  # the same figures give the same file
}
_KEPT = ("triomq", "pyzmq", "pyzmq-asyncio", "zmq-anyio")
"""Those whose latencies are told apart in small panels."""
_WIDE = 300
"""From this ratio of its ends on, an axis has a number at each power of ten only."""


def draw(figures: Figures, directory: Path, suffixes: Sequence[str] = (".svg",)) -> Iterator[Path]:
    """Draw each picture whose figures are there. Returns: the files."""
    directory.mkdir(exist_ok=True)
    pictures: dict[str, Callable[[Figures], Any]] = {
        "size": _size,
        "connections": _connections,
        "subscriptions": _subscriptions,
        "memory": _memory,
        "latency": _latency,
    }
    with mpl.rc_context(_STYLE):
        for name, picture in pictures.items():
            drawn = picture(figures)
            for suffix in suffixes:
                path = directory / f"{name}{suffix}"
                metadata = {"Date": None} if suffix == ".svg" else None
                drawn.savefig(path, bbox_inches="tight", dpi=110, metadata=metadata)
                yield path
            plt.close(drawn)


def lines(
    figures: Figures, along: Callable[[Work], float | None], up: Callable[[Work, Figure], float]
) -> dict[str, Line]:
    """For each peer the points of a curve: `along` says which works belong to it, and where."""
    found: dict[str, Line] = {}
    for name in _PEERS:
        points = []
        for work in works.ALL:
            figure, x = figures.entries.get((work.name, name)), along(work)
            if x is not None and figure is not None and figure.median is not None:
                points.append((x, up(work, figure)))
        if points:
            found[name] = sorted(points)
    return found


def _as_is(work: Work, figure: Figure) -> float:
    del work
    assert figure.median is not None
    return figure.median


def _is_plain(work: Work, kind: Kind) -> bool:
    """Whether this is neither a twin, nor encrypted, nor about how late another task is."""
    return work.kind is kind and not (work.sizes or work.secure or work.watched or work.connections > 1)


def _per_second(work: Work, figure: Figure) -> float:
    """Messages in a second, whatever the work's unit."""
    median = _as_is(work, figure)
    if work.unit is Unit.MEGABYTES:
        return median * 1e6 / work.size
    return 1e6 / median if work.unit is Unit.MICROSECONDS else median


def _curves(axes: Axes, curves: dict[str, Line]) -> None:
    """Draw the curves, ours last and thickest."""
    for name in reversed(_PEERS):
        if name in curves:
            title, colour, mark = _PEERS[name]
            ours = name == "triomq"
            axes.plot(
                *zip(*curves[name], strict=True), color=colour, marker=mark, label=title,
                linewidth=2.4 if ours else 1.4, markersize=6.5 if ours else 5, zorder=3 if ours else 2,
            )  # fmt: skip


def _legend(drawn: Any, axes: Sequence[Axes]) -> None:
    """One legend for all panels, to their right, in the order of the peers."""
    known = {label: handle for each in axes for handle, label in zip(*each.get_legend_handles_labels(), strict=True)}
    order = [title for title, _, _ in _PEERS.values() if title in known]
    if order:
        drawn.legend([known[title] for title in order], order, loc="center left", bbox_to_anchor=(0.995, 0.5))


def _logarithmic(axis: Any, ticks: Sequence[float], label: Callable[[float], str]) -> None:
    axis.set_ticks(list(ticks), labels=[label(tick) for tick in ticks])
    axis.set_minor_locator(NullLocator())


def _count(value: float) -> str:
    return f"{value / 1e6:g} M" if value >= 1e6 else f"{value / 1e3:g} k" if value >= 1e3 else f"{value:g}"


def _octets(value: float) -> str:
    return f"{value / 1e6:g} MB" if value >= 1e6 else f"{value / 1e3:g} kB" if value >= 1e3 else f"{value:g} B"


def _microseconds(value: float) -> str:
    return f"{value / 1e6:g} s" if value >= 1e6 else f"{value / 1e3:g} ms" if value >= 1e3 else f"{value:g} µs"


def _steep(axes: Axes, label: Callable[[float], str]) -> None:
    """A logarithmic axis with as many numbers as there is room for."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if high / low > _WIDE else (1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: label(value)))
    axes.yaxis.set_minor_locator(NullLocator())


def _size(figures: Figures) -> Any:
    drawn, axes = plt.subplots(figsize=(6.6, 4.2), layout="constrained")
    _curves(axes, lines(figures, lambda w: w.size if _is_plain(w, Kind.PUSH) else None, _per_second))
    axes.set(xscale="log", xlabel="size of a message", title="PUSH → PULL, messages a second")
    _steep(axes, _count)
    _logarithmic(axes.xaxis, [10**n for n in range(1, 7)], _octets)
    _legend(drawn, [axes])
    return drawn


def _connections(figures: Figures) -> Any:
    drawn, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.9), layout="constrained")
    _curves(left, lines(figures, lambda w: w.clients if w.group == "clients" else None, _per_second))
    left.set(xscale="log", xlabel="connections", title="ROUTER echo, replies a second")
    _logarithmic(left.xaxis, [1, 10, 100, 1000], _count)
    _curves(right, lines(figures, lambda w: w.subscribers if _is_plain(w, Kind.PUBLISH) else None, _per_second))
    right.set(xscale="log", xlabel="subscribers", title="PUB → SUB, deliveries a second")
    _logarithmic(right.xaxis, [1, 10, 100, 300], _count)
    for axes in (left, right):
        _steep(axes, _count)
    _legend(drawn, [left, right])
    return drawn


def _subscriptions(figures: Figures) -> Any:
    drawn, axes = plt.subplots(figsize=(6.6, 3.6), layout="constrained")
    _curves(axes, lines(figures, lambda w: w.subscriptions, _as_is))
    axes.set(xscale="log", xlabel="subscriptions", title="PUB → SUB, time for each message")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} µs"))
    _logarithmic(axes.xaxis, [1, 100, 10_000, 100_000], _count)
    _legend(drawn, [axes])
    return drawn


def _memory(figures: Figures) -> Any:
    drawn, axes = plt.subplots(figsize=(6.6, 3.6), layout="constrained")
    found = lines(
        figures, lambda w: w.idle if w.kind is Kind.MEMORY else None, lambda w, f: _as_is(w, f) * w.idle / 1024
    )
    _curves(axes, {name: [(0.0, 0.0), *points] for name, points in found.items()})
    axes.set(xlabel="idle connections", title="what a process with one ROUTER grows by")
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _count(value)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} MiB"))
    _legend(drawn, [axes])
    return drawn


def _latency(figures: Figures) -> Any:
    panels = [work for work in works.SWEEPS if work.kind is Kind.LATENCY]
    drawn, row = plt.subplots(1, len(panels), figsize=(9.6, 3.9), sharey=True, layout="constrained")
    steps = ("p50", "p99", "p99.9")
    for axes, work in zip(row, panels, strict=True):
        known = {name: figures.entries[work.name, name] for name in _KEPT if (work.name, name) in figures.entries}
        known = {name: figure for name, figure in known.items() if figure.details}
        _curves(axes, {name: [(x, known[name].details[step]) for x, step in enumerate(steps)] for name in known})
        rates = [f"{_PEERS[n][0].split(',')[0]} {number(f.details['rate'], Unit.MESSAGES)}/s" for n, f in known.items()]
        axes.set_title(f"{work.load * 100:.0f} % load")
        axes.set_xlabel("\n".join(rates), fontsize=8.5, color="#555555", loc="left")
        axes.set_xticks(range(len(steps)), steps)
        axes.set_xlim(-0.25, len(steps) - 0.75)
        _steep(axes, _microseconds)
    row[0].set_ylabel("from when a request is due to its reply")
    _legend(drawn, row)
    return drawn
