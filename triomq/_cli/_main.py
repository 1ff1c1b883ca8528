"""The command line: ``triomq`` and ``python -m triomq``."""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Self

import trio

from .._version import __version__
from . import _demo


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
      arguments: without the program's name; those of the process if None.
    Returns: the exit code.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command is None:
        parser.print_help()
        return 0
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # until the demo listens, and again when all is said
    try:
        return run_demo(_demo.Plan(seconds=given.seconds, clients=given.clients, workers=given.workers))
    except BrokenPipeError:  # whoever read this, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="triomq", description="ZeroMQ sockets as trio channels, in pure Python.")
    parser.add_argument("--version", action="version", version=f"triomq {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    demo = commands.add_parser(
        "demo",
        help="a broker, its clients and its workers, over real tcp, with every message accounted for",
        description="The guide's extended request-reply on this machine: REQ clients ask through a ROUTER/DEALER "
        "broker, REP workers answer, every reply is checked. Exit code: 0 if all was right, 1 if not.",
    )
    plan = _demo.Plan()
    demo.add_argument("--seconds", type=_seconds, default=plan.seconds, help="how long (default: %(default)g)")
    demo.add_argument("--clients", type=_count, default=plan.clients, help="how many (default: %(default)s)")
    demo.add_argument("--workers", type=_count, default=plan.workers, help="how many (default: %(default)s)")
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return seconds


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


class _Interruption:
    """Ctrl-C and SIGTERM, from the first line printed to the last: they end the run and leave us the word.

    Inside a trio program `trio.open_signal_receiver` is all one needs. This one also covers the moments before and
    after trio runs.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._scope = trio.CancelScope()
        self._token: trio.lowlevel.TrioToken | None = None

    def __enter__(self) -> Self:
        self._handlers = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.number = number
        if self._token is not None:
            try:
                self._token.run_sync_soon(self._cancel, idempotent=True)
            except trio.RunFinishedError:
                pass  # it has just ended by itself

    def _cancel(self) -> None:
        self._scope.cancel(reason="interrupted by a signal")

    async def run(self, plan: _demo.Plan, tally: _demo.Tally) -> None:
        """The demo, until it ends or is interrupted."""
        self._token = trio.lowlevel.current_trio_token()
        with self._scope:
            if self.number is not None:
                self._cancel()
            await _demo.demo(plan, tally, sys.stdout if sys.stdout.isatty() else None)


def run_demo(plan: _demo.Plan) -> int:
    """Run the demo and print what became of it.

    Returns: 0 if every reply was right, 1 if not, 128 and the signal's number if it was interrupted.
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no µ shall still see the table
    with _Interruption() as interruption:
        print(_demo.heading(plan, __version__), flush=True)
        tally = _demo.Tally.of(plan)
        trio.run(interruption.run, plan, tally)
        number = None if tally.complete else interruption.number
        print(_demo.table(tally))
        wrong = _demo.faults(tally)
        for fault in wrong:
            print(f"WRONG: {fault}")
        if number is not None:
            name = signal.Signals(number).name
            print(f"Interrupted by {name} after {tally.seconds:.1f} s, with exchanges on their way.")
        elif not wrong:
            print(f"Every reply was right, nothing was lost, nothing came twice; {tally.seconds:.1f} s.")
        sys.stdout.flush()
    return int(wrong != []) if number is None else 128 + number
