"""``triomq top``: what the sockets of a running program do, again and again."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import attrs
import trio

from .. import REQ, Context, ContextStatistics, EndpointError, Rates, WrongStateError, open_context
from .._security import Security
from .._statistics import from_plain
from ._arguments import endpoint as as_endpoint
from ._arguments import finite_seconds
from ._exits import DONE, TIMED_OUT, Failure, Teller, UsageError, describe
from ._notes import Notes
from ._screens import Pages, Screen, TerminalScreen, open_rich_screen
from ._security import add_security, read_mechanism
from ._signals import Interruption
from ._streams import Output

_VERSION = 1


@attrs.frozen
class Snapshot:
    """What a program said of itself.

    Attributes:
      program: its name and number.
    """

    program: str
    statistics: ContextStatistics


def read_snapshot(reply: bytes) -> Snapshot:
    """The statistics that `triomq.serve_statistics` has sent.

    Raises:
      Failure: they are of a later version, or none at all.
    """
    try:
        value = json.loads(reply)
        if value["format"] != "triomq statistics":
            raise ValueError(f"its format is {value['format']!r:.60}")
        if value["version"] != _VERSION:
            raise Failure(f"the program speaks version {value['version']!r:.20} of the statistics, and this triomq "
                          f"version {_VERSION}: use the triomq command of the program's own environment")  # fmt: skip
        return Snapshot(f"{value['program']} ({value['pid']})", from_plain(value["statistics"]))
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise Failure(f"whoever answers there is no program with triomq.serve_statistics: {exc}") from exc


def add_top(commands: Any, run: Any) -> None:
    """Add the command ``top``."""
    parser = commands.add_parser(
        "top",
        help="watch the sockets of a running program",
        description="Show what the sockets of a program send, receive and drop, each second and in all.\n"
        "The program has one line for that: nursery.start_soon(triomq.serve_statistics, ctx, ENDPOINT). On a terminal "
        "the table is drawn again and again, by rich if that is installed; elsewhere one table follows another.",
        epilog="examples:\n  triomq top ipc:///run/feed.statistics\n  triomq top :5599 --peers --interval 0.5\n"
        "  triomq top :5599 --once | mail -s feed me@example.org\n\n"
        "Exit codes: 0 done, 1 it is no such program, 2 nobody answered.",
    )
    parser.add_argument(
        "endpoint", type=as_endpoint, metavar="ENDPOINT", help="where the program serves its statistics"
    )
    parser.add_argument("-i", "--interval", type=finite_seconds, default=1.0, metavar="SECONDS",
                        help="between two tables (default: %(default)g)")  # fmt: skip
    parser.add_argument("--peers", action="store_true", help="show each socket's peers, too")
    parser.add_argument("--once", action="store_true", help="show what was counted so far, and end")
    parser.add_argument("-t", "--timeout", type=finite_seconds, default=5.0, metavar="SECONDS",
                        help="for an answer (default: %(default)g)")  # fmt: skip
    add_security(parser, serves=False)
    parser.set_defaults(run=run, verbose=0)


async def run_top(given: argparse.Namespace, interruption: Interruption, teller: Teller) -> int:
    """Ask and show until a signal comes. Returns: the exit code."""
    terminal = sys.stdout.isatty() and not given.once
    mechanism = read_mechanism(given)
    async with open_context() as ctx:
        req = _connect(ctx, given.endpoint, mechanism, teller)
        snapshot = await _ask(req, given.endpoint, given.timeout)
        if given.once:
            await Output().write(_encoded(page(snapshot, None, peers=given.peers)))
            return DONE
        with (open_rich_screen() or TerminalScreen(sys.stdout)) if terminal else Pages(Output()) as screen:
            await _watch(req, given, screen, snapshot)
    return DONE


def _connect(ctx: Context, endpoint: str, mechanism: Security | None, teller: Teller) -> REQ:
    ctx.observe(Notes(teller))
    req = ctx.socket(REQ, linger=0, req_relaxed=True, req_correlate=True, mechanism=mechanism)
    try:
        req.connect(endpoint)
    except (EndpointError, WrongStateError) as exc:
        raise UsageError(describe(exc)) from exc
    return req


async def _ask(req: REQ, endpoint: str, patience: float) -> Snapshot:
    with trio.move_on_after(patience):
        return read_snapshot(bytes((await req.request(b"statistics"))[0]))
    raise Failure(f"nobody at {endpoint} has answered within {patience:g} s", TIMED_OUT)


async def _watch(req: REQ, given: argparse.Namespace, screen: Screen, first: Snapshot) -> None:
    """Show one snapshot after another. A program that goes away is waited for."""
    before: Snapshot | None = None
    snapshot = first
    async with trio.open_nursery() as nursery:
        nursery.start_soon(screen.watch)
        while True:
            await screen.show(page(snapshot, before, peers=given.peers))
            await trio.sleep(given.interval)
            before = snapshot
            while True:
                try:
                    snapshot = await _ask(req, given.endpoint, given.timeout)
                    break
                except Failure as exc:
                    if exc.code != TIMED_OUT:
                        raise
                    await screen.show(f"{snapshot.program}: no answer for {given.timeout:g} s; waiting")


def page(snapshot: Snapshot, before: Snapshot | None, *, peers: bool) -> str:
    """What is shown of a snapshot: the rates since another one, and what was counted in all."""
    statistics = snapshot.statistics
    rates = None if before is None or before.program != snapshot.program else _rates(statistics, before.statistics)
    parts = [snapshot.program, *([str(rates)] if rates is not None else []), str(statistics)]
    if peers:
        parts += [str(socket) for socket in statistics.sockets]
    return "\n\n".join(parts) + "\n"


def _rates(later: ContextStatistics, earlier: ContextStatistics) -> Rates | None:
    try:
        return later.since(earlier)
    except ValueError:
        return None  # another program has taken its name, number and endpoint


def _encoded(text: str) -> bytes:
    return text.encode(sys.stdout.encoding or "utf-8", "replace")
