"""``triomq demo``: what triomq does, shown with real sockets and checked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

import attrs

from ..._version import __version__
from .._arguments import finite_seconds, terminal_width, whole


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


def _run_pubsub(given: argparse.Namespace) -> int:
    from . import _pubsub

    return _pubsub.run_demo(given.seconds)


def _run_pipeline(given: argparse.Namespace) -> int:
    from . import _pipeline

    return _pipeline.run_demo(given.seconds, given.workers)


def _run_restart(given: argparse.Namespace) -> int:
    from . import _restart

    return _restart.run_demo(given.seconds)


def _run_virtual(given: argparse.Namespace) -> int:
    from . import _virtual

    return _virtual.run_demo(given.seed, max(terminal_width(), 72))


_DEMOS = {
    "requests": _Demo("clients ask through a broker, workers answer", _run_requests),
    "pubsub": _Demo("a publisher, what each subscriber wants, and one that is slow", _run_pubsub),
    "pipeline": _Demo("jobs for several workers, and a sink that counts", _run_pipeline),
    "restart": _Demo("a server goes away and comes back; its client need not care", _run_restart),
    "virtual": _Demo("a network without time, with its sequence diagram", _run_virtual),
}


def add_demo(commands: Any) -> None:
    """Add the command ``demo``."""
    listed = "\n".join(f"  {name:<9} {demo.brief}" for name, demo in _DEMOS.items())
    parser = commands.add_parser(
        "demo",
        help="watch sockets at work, with every message accounted for",
        description="Run a small network on this machine and check what comes out.",
        epilog=f"demos:\n{listed}\n\nexamples:\n  triomq demo\n  triomq demo restart --seconds 5\n\n"
        "Exit codes: 0 all was right, 1 something was wrong, 130 Ctrl-C, 143 SIGTERM.",
    )
    parser.add_argument("demo", nargs="?", choices=_DEMOS, default="requests", metavar="DEMO", help="see below")
    parser.add_argument(
        "--seconds", type=finite_seconds, default=3.0, metavar="N", help="how long (default: %(default)g)"
    )
    parser.add_argument("--clients", type=whole(1), default=10, metavar="N", help="of requests (default: %(default)s)")
    parser.add_argument(
        "--workers", type=whole(1), default=3, metavar="N", help="of requests and pipeline (default: %(default)s)"
    )
    parser.add_argument("--seed", type=whole(0), default=2, metavar="N", help="of virtual (default: %(default)s)")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no µ shall still see the table
    return _DEMOS[given.demo].run(given)
