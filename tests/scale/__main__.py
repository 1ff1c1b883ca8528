"""Run the big networks, print what came of them, draw the pictures: ``python -m tests.scale``.

It needs matplotlib, which is in the dependency group ``bench``. Each run has a process of its own, so that its memory
is its own, and as many run at one time as there are processors.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from . import loopback
from .fleet import Plan, most_at_once
from .simulation import Outcome, Shape, simulate_for_others

RUNS: list[tuple[Shape, str, bool]] = [
    ("tree", "none", True),
    ("broker", "none", True),
    ("tree", "partition", True),
    ("tree", "partition", False),
    ("broker", "partition", True),
    ("broker", "partition", False),
    ("broker", "restart", True),
    ("broker", "restart", False),
]
HEAD = (
    "network  fault      jitter  hosts  virtual s  cpu s  ×real  MiB  happenings  deliveries"
    "  lost  back  worst/s  all back after"
)


def row(outcome: Outcome) -> str:
    """A line of the table."""
    plan, back = outcome.plan, outcome.returned
    after = f"{max(back) - plan.healed:.1f} s" if back else "-"
    return (
        f"{outcome.shape:8} {plan.fault:10} {'yes' if plan.jitter else 'no':6}  {outcome.hosts:5}  "
        f"{outcome.virtual:9.0f}  {outcome.cpu:5.1f}  {outcome.virtual / outcome.cpu:5.1f}  "
        f"{outcome.memory / 2**20:3.0f}  {outcome.happenings:10}  {outcome.deliveries:10}  {len(outcome.lost):4}  "
        f"{len(back):4}  {most_at_once(back):7}  {after:>14}"
    )


def networks(arguments: argparse.Namespace) -> int:
    """Run them all. Returns: the exit status, which is 1 if something was lost that should not be."""
    plans = {key: Plan(hosts=arguments.hosts, seed=arguments.seed, fault=key[1], jitter=key[2]) for key in RUNS}
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.processes, mp_context=spawn, max_tasks_per_child=1) as pool:
        tasks = {key: pool.submit(simulate_for_others, key[0], plan) for key, plan in plans.items()}
        print(HEAD, flush=True)
        outcomes = {}
        for key, task in tasks.items():
            outcomes[key] = task.result()
            print(row(outcomes[key]), flush=True)
    faults = [fault for outcome in outcomes.values() for fault in (*outcome.faults, *outcome.left)]
    print("\n".join(faults) or "every message that could survive has arrived once; nothing is left")
    if arguments.pictures is not None:
        from .pictures import draw_all  # matplotlib is there for those only who want pictures

        print(*draw_all(outcomes, arguments.pictures), sep="\n")
    return bool(faults)


def main(words: Sequence[str] | None = None) -> int:
    """Read the command line, and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m tests.scale", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("simulate", help="run the networks in virtual time")
    command.add_argument("--hosts", type=int, default=1000, help="subscribers, or clients (%(default)s)")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--processes", type=int, default=None, help="runs at one time (as many as processors)")
    command.add_argument("--pictures", type=Path, default=None, metavar="DIRECTORY", help="draw them, into there")
    command.set_defaults(run=networks)
    loopback.add_command(commands)
    arguments = parser.parse_args(words)
    status: int = arguments.run(arguments)
    return status


if __name__ == "__main__":
    sys.exit(main())
