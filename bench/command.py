"""The command line: measure, print, check the goals."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import trio

from . import goals, harness, peers, profiling, report, works

_INTERRUPTED = 130


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    names = ", ".join(work.name for work in works.ALL)
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="triomq beside its peers, in one run.",
        epilog=f"Works: {names}. Peers: {', '.join(peers.NAMES)}.",
    )
    parser.add_argument("--works", metavar="NAME,…", help="only these; push-* is all that begin so")
    parser.add_argument("--peers", metavar="NAME,…", help="only these")
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each peer at each work (default 7)")
    parser.add_argument("--seconds", type=float, default=1.0, help="about how long one takes (default 1)")
    parser.add_argument("--json", metavar="FILE", type=Path, help="save everything, with all samples")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a goal is missed")
    parser.add_argument("--profile", action="store_true", help="triomq only, under cProfile: its top functions")
    options = parser.parse_args(arguments)
    try:
        options.works = works.select(options.works and options.works.split(","))
    except ValueError as error:
        parser.error(str(error))
    options.peers = list(peers.NAMES) if options.peers is None else options.peers.split(",")
    if unknown := set(options.peers) - set(peers.NAMES):
        parser.error(f"no peer {', '.join(sorted(unknown))}; there are {', '.join(peers.NAMES)}")
    if options.rounds < 1 or not 0 < options.seconds <= 60:
        parser.error("--rounds is at least 1, --seconds between 0 and 60")
    return options


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


async def _measure(options: argparse.Namespace, loaded: Mapping[str, peers.Peer]) -> int:
    settings = harness.Settings(rounds=options.rounds, seconds=options.seconds)
    found = report.environment()
    print(report.header(found, settings), flush=True)
    results: list[harness.Series] = []
    for group in works.groups(options.works):
        results += await harness.run_works(group, loaded, settings, _progress)
        _progress("")
        for work in group:
            print("\n" + report.table(work, list(loaded), results), flush=True)
    verdicts = goals.judge(report.medians(results))
    if verdicts:
        print("\nGoals\n" + "\n".join(f"  {verdict}" for verdict in verdicts))
    if options.json:
        text = json.dumps(report.as_json(found, settings, results, verdicts), indent=1, ensure_ascii=False)
        await trio.Path(options.json).write_text(text + "\n", encoding="utf-8")
    if not options.check:
        return 0
    if not verdicts:
        print("\nNo goal could be checked: none of their works was measured with both of its peers.")
    return 0 if verdicts and all(verdict.reached for verdict in verdicts) else 1


async def _profile(options: argparse.Namespace) -> int:
    settings = harness.Settings(rounds=1, seconds=options.seconds)
    peer, status = peers.load(goals.SUBJECT), 0
    for work in options.works:
        if peer.offers(work.kind):
            try:
                print(await profiling.profile(goals.SUBJECT, work, settings), flush=True)
            except harness.MeasurementError as error:
                print(f"{work.name}: {error}", flush=True)
                status = 1
    return status


async def _run(options: argparse.Namespace) -> int:
    status = _INTERRUPTED
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_on_sigterm, nursery.cancel_scope)
        status = await (_profile(options) if options.profile else _measure(options, _load(options.peers)))
        nursery.cancel_scope.cancel()
    return status


async def _cancel_on_sigterm(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parse(arguments)
    try:
        return trio.run(_run, options)
    except* KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
    return _INTERRUPTED
