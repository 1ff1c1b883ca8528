"""The arguments of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from . import peers, works

_DESCRIPTION = """\
triomq beside its peers, in one run.

usual:
  (nothing)            measure the usual works, print tables and the verdicts on the goals
  --check              the same, only what is needed to compare it with bench/figures.json; 1 if something has dropped
  --plots              measure also what the pictures need, write bench/figures.json, and do as --draw
  --draw               measure nothing: draw the pictures and fill in the tables of the documentation
  --profile, --syscalls   where the time goes
"""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse them; `works` and `peers` become lists, and `only` what of them is to be measured, None for all."""
    names = ", ".join(work.name for work in works.ALL)
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=_DESCRIPTION,
        epilog=f"Works: {names}.\n\nPeers: {', '.join(peers.NAMES)}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add(parser)
    options = parser.parse_args(arguments)
    options.everything = options.works is None and options.peers is None
    try:
        options.works = works.select(options.works and options.works.split(","))
    except ValueError as error:
        parser.error(str(error))
    if options.plots:
        options.works += [work for work in works.SWEEPS if options.everything and work not in options.works]
        options.save = options.draw = True
    options.measure = options.save or not options.draw
    usual = ["triomq", "pyzmq"] if options.syscalls else list(peers.NAMES)
    options.peers = usual if options.peers is None else options.peers.split(",")
    if unknown := set(options.peers) - set(peers.NAMES):
        parser.error(f"no peer {', '.join(sorted(unknown))}; there are {', '.join(peers.NAMES)}")
    if options.rounds < 1 or not 0 < options.seconds <= 60:
        parser.error("--rounds is at least 1, --seconds between 0 and 60")
    return options


def _add(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--works", metavar="NAME,…", help="only these; push-* is all that begin so")
    add("--peers", metavar="NAME,…", help="only these")
    add("--rounds", type=int, default=7, help="measurements of each peer at each work (default 7)")
    add("--seconds", type=float, default=0.5, help="about how long one takes (default 0.5)")
    add("--json", metavar="FILE", type=Path, help="write everything, with all samples, to this file")
    add("--save", action="store_true", help="write the medians to bench/figures.json, the committed table")
    add("--check", action="store_true", help="compare with bench/figures.json; 1 if a ratio dropped beyond noise")
    add("--plots", action="store_true", help="measure what the pictures need, too; implies --save and --draw")
    add("--draw", action="store_true", help="fill in README.md and the page on performance, from bench/figures.json")
    add("--profile", action="store_true", help="triomq only, under cProfile: its top functions")
    add("--syscalls", action="store_true", help="triomq and pyzmq, or --peers, under strace: calls for each message")
