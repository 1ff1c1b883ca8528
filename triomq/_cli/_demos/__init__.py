"""``triomq demo``: what triomq does, shown with real sockets and checked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

import attrs

from ..._version import __version__
from .._arguments import finite_seconds, whole


@attrs.frozen
class _Demo:
    """One demo.

    Attributes:
      run: shows it. Returns: the exit code.
    """

    brief: str
    run: Callable[[argparse.Namespace], int]


def _run_requests(given: argparse.Namespace) -> int:
    from . import _requests

    return _requests.run_demo(
        _requests.Plan(seconds=given.seconds, clients=given.clients, workers=given.workers), __version__
    )


_DEMOS = {
    "requests": _Demo("clients ask through a broker, workers answer; every message is accounted for", _run_requests),
}


def add_demo(commands: Any) -> None:
    """Add the command ``demo``."""
    listed = "\n".join(f"  {name:<9} {demo.brief}" for name, demo in _DEMOS.items())
    parser = commands.add_parser(
        "demo",
        help="watch sockets at work, with every message accounted for",
        description="Run a small network on this machine and check what comes out.",
        epilog=f"demos:\n{listed}\n\nExit codes: 0 all was right, 1 something was wrong, 130 Ctrl-C, 143 SIGTERM.",
    )
    parser.add_argument("demo", nargs="?", choices=_DEMOS, default="requests", metavar="DEMO", help="see below")
    parser.add_argument(
        "--seconds", type=finite_seconds, default=3.0, metavar="N", help="how long (default: %(default)g)"
    )
    parser.add_argument("--clients", type=whole(1), default=10, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument("--workers", type=whole(1), default=3, metavar="N", help="how many (default: %(default)s)")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no µ shall still see the table
    return _DEMOS[given.demo].run(given)
