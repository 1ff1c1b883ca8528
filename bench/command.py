"""The command: measure, print, judge, compare, save, draw."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Collection, Sequence

import trio

from . import check, goals, harness, options, peers, profiling, report, syscalls, works
from .figures import FILE, Figures

_INTERRUPTED = 130


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _load(names: Sequence[str]) -> dict[str, peers.Peer]:
    loaded = {}
    for name in names:
        try:
            loaded[name] = peers.load(name)
        except Exception as error:  # a peer that cannot be imported, for whatever reason, is left out
            print(f"{name} is left out: {type(error).__name__}: {error}", file=sys.stderr)
    return loaded


def _of_goals() -> Collection[tuple[str, str]]:
    """What `goals` compares: measured in every round, while others show what is usual in half of them."""
    return {key for goal in goals.GOALS for key in (goal.ours, goal.theirs) if key is not None}


def _needed() -> Collection[tuple[str, str]]:
    """What `check` compares, as work and peer."""
    return {key for pair in check.pairs() for key in (pair.ours, pair.theirs) if key is not None}


async def _measure(chosen: argparse.Namespace) -> int:
    settings = harness.Settings(rounds=chosen.rounds, seconds=chosen.seconds)
    only = _needed() if chosen.check and chosen.everything and not chosen.save else None
    loaded = _load([name for name in chosen.peers if only is None or any(name == peer for _, peer in only)])
    found = report.environment()
    print(report.header(found, settings), flush=True)
    often = _of_goals()
    about = harness.minutes(harness.lines_of(chosen.works, loaded, only), settings, often)
    print(f"about {about:.0f} minutes", flush=True)
    results: list[harness.Series] = []
    for group in works.groups(chosen.works):
        results += await harness.run_works(group, loaded, settings, _progress, only, often)
        _progress("")
        for work in group:
            print("\n" + report.table(work, list(loaded), results), flush=True)
    verdicts = goals.judge(report.medians(results))
    if verdicts:
        print("\nGoals\n" + "\n".join(f"  {verdict}" for verdict in verdicts), flush=True)
    if chosen.json:
        text = json.dumps(report.as_json(found, settings, results, verdicts), indent=1, ensure_ascii=False)
        await trio.Path(chosen.json).write_text(text + "\n", encoding="utf-8")
    measured = Figures.of(found, settings, results)
    status = _check(measured) if chosen.check else 0
    if chosen.save:
        measured.over(Figures.load()).save()
        print(f"\nwritten: {FILE}")
    return status


def _check(measured: Figures) -> int:
    committed = Figures.load()
    if committed is None:
        print(f"\nThere is nothing to compare with: no {FILE}")
        return 1
    comparisons = list(check.compare(committed, measured))
    if not comparisons:
        print("\nNothing could be compared: no pair of the committed table was measured.")
        return 1
    print("\nBeside the committed table\n" + "\n".join(f"  {each}" for each in comparisons))
    if not committed.same_environment(measured):
        print("  The committed table is of another machine or of other versions: its ratios may be others, too.")
    return 1 if any(each.failed for each in comparisons) else 0


def _draw() -> int:
    from . import pages, plots  # not before it is needed: matplotlib takes a second

    figures = Figures.load()
    if figures is None:
        print(f"There is nothing to draw: no {FILE}; --save makes it")
        return 1
    for path in [*plots.draw(figures, pages.PICTURES), *pages.write(figures)]:
        print(f"written: {path}")
    return 0


async def _inspect(chosen: argparse.Namespace) -> int:
    settings, status = harness.Settings(rounds=1, seconds=chosen.seconds), 0
    subject = peers.load(goals.SUBJECT)
    traced = _load(chosen.peers) if chosen.syscalls else {}
    if chosen.syscalls and not syscalls.available():
        print("System calls cannot be counted: strace is not installed.")
        return 1
    for work in chosen.works:
        try:
            if chosen.profile and subject.offers(work):
                print(await profiling.profile(goals.SUBJECT, work, settings), flush=True)
            offering = [name for name, peer in traced.items() if peer.offers(work)]
            if offering:
                print(await syscalls.table(offering, work, settings), flush=True)
        except harness.MeasurementError as error:
            print(f"{work.name}: {error}", flush=True)
            status = 1
    return status


async def _run(chosen: argparse.Namespace) -> int:
    status = _INTERRUPTED
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_on_sigterm, nursery.cancel_scope)
        status = await (_inspect(chosen) if chosen.profile or chosen.syscalls else _measure(chosen))
        nursery.cancel_scope.cancel()
    return status


async def _cancel_on_sigterm(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    chosen = options.parse(arguments)
    status = _INTERRUPTED
    try:
        status = trio.run(_run, chosen) if chosen.measure else 0
    except* KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        status = _INTERRUPTED
    return _draw() or status if chosen.draw and status != _INTERRUPTED else status
