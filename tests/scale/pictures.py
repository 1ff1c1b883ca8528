"""The pictures of docs/explanation/scale.md, drawn from what the runs gave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot
from matplotlib.axes import Axes

from .fleet import Plan, most_at_once
from .simulation import Outcome, Shape

JITTER, LEVEL, NEAR, SHADE = "#1f6fb2", "#d1542b", "#5b8c3e", "#e9e9e9"
STYLE: dict[str, Any] = {
    "svg.hashsalt": "triomq",  # the same picture, octet for octet, from the same figures
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "figure.facecolor": "white",
}
Runs = Mapping[tuple[Shape, str, bool], Outcome]


def draw_all(runs: Runs, directory: Path) -> list[Path]:
    """Draw every picture. Returns: the files."""
    with mpl.rc_context(STYLE):
        pictures = {
            "scale-reconnects.svg": _reconnects(runs),
            "scale-timeline.svg": _timeline(runs),
        }
        paths = []
        for name, figure in pictures.items():
            paths.append(directory / name)
            figure.savefig(paths[-1], metadata={"Date": None, "Creator": None}, bbox_inches="tight")
            pyplot.close(figure)
    return paths


def counted(times: Iterable[float], first: float, last: float, width: float = 1.0) -> tuple[list[float], list[float]]:
    """How many of some times lie in each step of ``width`` seconds, per second; with the edges of the steps."""
    steps = round((last - first) / width)
    counts = [0.0] * steps
    for time in times:
        if first <= time < first + steps * width:
            counts[int((time - first) / width)] += 1 / width
    return [first + width * step for step in range(steps + 1)], counts


def _stairs(axes: Axes, times: Iterable[float], plan: Plan, first: float, last: float, **how: Any) -> None:
    edges, counts = counted((time - plan.healed for time in times), first, last)
    axes.stairs(counts, edges, **how)


def _reconnects(runs: Runs) -> Any:
    titles: list[tuple[Shape, str, str]] = [
        ("broker", "restart", "A broker is back after a minute: all {hosts} clients"),
        ("tree", "partition", "Half of a publisher's tree is cut off for a minute"),
        ("broker", "partition", "Half of a broker's clients are cut off for a minute"),
    ]
    figure, rows = pyplot.subplots(len(titles), 1, figsize=(7.4, 7.6), sharex=True, layout="constrained")
    for axes, (shape, fault, title) in zip(rows, titles, strict=True):
        for jitter, colour, label in ((False, LEVEL, "without jitter"), (True, JITTER, "with jitter")):
            outcome = runs[shape, fault, jitter]
            peak = most_at_once(outcome.returned)
            label = f"{label}: {peak} in the worst second"
            _stairs(axes, outcome.returned, outcome.plan, 0, 35, color=colour, fill=True, alpha=0.85, label=label)
        axes.set_title(title.format(hosts=outcome.plan.hosts))
        axes.set_ylabel("connections made\nper second")
        axes.set_xlim(0, 35)
        axes.set_ylim(0)
        axes.legend(loc="upper right")
    rows[-1].set_xlabel("seconds after the network is whole, or the broker is there, again")
    return figure


def _timeline(runs: Runs) -> Any:
    outcomes = {jitter: runs["broker", "partition", jitter] for jitter in (True, False)}
    plan = outcomes[True].plan
    last = round(plan.end - plan.healed)
    figure, (up, failing, waiting) = pyplot.subplots(3, 1, figsize=(7.4, 6.6), sharex=True, layout="constrained")
    for axes in up, failing, waiting:
        axes.axvspan(-plan.away, 0, color=SHADE, lw=0, zorder=0)
        axes.set_xlim(-plan.healed, last)
    for jitter, colour, label in ((False, LEVEL, "without jitter"), (True, JITTER, "with jitter")):
        outcome = outcomes[jitter]
        diary = outcome.diary
        how: dict[str, Any] = {"color": colour, "label": label, "lw": 1.4}
        changes = [(time, 1) for time in diary.ready] + [(time, -1) for time in diary.lost]
        up.step(*_sums(changes, plan), where="post", **how)
        _stairs(failing, diary.failed, plan, -plan.healed, last, **how)
        waiting.step(*_sums(outcome.waiting, plan), where="post", **how)
    up.set_title("While the shaded minute lasts, half of the clients and of the workers are cut off from the broker")
    up.set_ylabel("clients\nconnected")
    failing.set_ylabel("attempts that fail\nper second")
    waiting.set_ylabel("requests waiting for\na reply, or lost")
    for axes in up, failing, waiting:
        axes.set_ylim(0)
    up.legend(loc="lower right")
    waiting.set_xlabel("seconds before and after the healing")
    return figure


def _sums(changes: Iterable[tuple[float, int]], plan: Plan, step: float = 0.25) -> tuple[list[float], list[int]]:
    """What changes add up to, looked at from time to time from the beginning to the end."""
    rest = sorted(changes, reverse=True)
    times, sums = [0.0], [0]
    while times[-1] < plan.end:
        times.append(times[-1] + step)
        sums.append(sums[-1])
        while rest and rest[-1][0] <= times[-1]:
            sums[-1] += rest.pop()[1]
    return [time - plan.healed for time in times], sums
