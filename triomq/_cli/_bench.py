"""``triomq bench``: how many messages, and how quick an answer, between two processes of this machine, now."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import Any

import attrs
import trio

from .. import PULL, PUSH, REP, REQ, Context, open_context
from .._version import __version__
from ._arguments import finite_seconds, whole
from ._exits import DONE, Failure, Teller
from ._signals import Interruption

_AT_ONCE = 1000
_PATIENCE = 60.0
"""seconds for the other process to start"""
_FEW = 1000
"""round trips before those that count: at first, all is slower"""


@attrs.frozen(kw_only=True)
class Measured:
    """What was measured.

    Attributes:
      each_second: messages from one process to the other.
      bytes_each_second: in these messages.
      round_trips: how many there were.
      median, best: seconds of a round trip.
    """

    each_second: float
    bytes_each_second: float
    round_trips: int
    median: float
    best: float


def add_bench(commands: Any, run: Any) -> None:
    """Add the command ``bench``."""
    parser = commands.add_parser(
        "bench",
        help="measure messages each second and the round trip, on this machine",
        description="Send messages from one process to another as fast as that goes, then ask and answer, one request "
        "at a time. It is one short run on a machine as busy as it is: run it several times.",
        epilog="examples:\n  triomq bench\n  triomq bench --size 1000 --transport ipc --seconds 5",
    )
    parser.add_argument("--size", type=whole(0), default=10, metavar="BYTES", help="of a message (default: 10)")
    parser.add_argument("--seconds", type=finite_seconds, default=2.0, metavar="N",
                        help="for each of the two (default: %(default)g)")  # fmt: skip
    parser.add_argument("--transport", choices=("tcp", "ipc"), default="tcp", metavar="NAME",
                        help="tcp or ipc (default: %(default)s)")  # fmt: skip
    parser.add_argument("--peer", nargs=2, help=argparse.SUPPRESS)  # the other process
    parser.set_defaults(run=run, verbose=0)


async def run_bench(given: argparse.Namespace, interruption: Interruption, teller: Teller) -> int:
    """Measure and print, or be the other process. Returns: the exit code."""
    if given.peer is not None:
        kind, endpoint = given.peer
        await _serve(kind, endpoint, given.size)
        return DONE
    print(_heading(given.transport, given.size), flush=True)
    with _endpoints(given.transport) as (one, other):
        measured = await measure(one, other, given.size, given.seconds)
    print("\n".join(describe(measured, given.seconds)), flush=True)
    return DONE


def _heading(transport: str, size: int) -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return (
        f"triomq {__version__}, trio {trio.__version__}, {python}, {machine}\n"
        f"Two processes over {transport}, {size:,} bytes in a message.\n"
    )


@contextmanager
def _endpoints(transport: str) -> Iterator[tuple[str, str]]:
    """Where to bind, twice."""
    if transport == "tcp":
        yield "tcp://127.0.0.1:0", "tcp://127.0.0.1:0"
    else:
        with tempfile.TemporaryDirectory() as directory:
            yield f"ipc://{Path(directory, 'one')}", f"ipc://{Path(directory, 'other')}"


def describe(measured: Measured, seconds: float) -> list[str]:
    """What was measured, line by line."""
    return [
        f"  one way     {measured.each_second:>12,.0f} messages each second, "
        f"{measured.bytes_each_second / 1e6:,.1f} MB/s   (PUSH to PULL, {seconds:g} s)",
        f"  round trip  {measured.median * 1e6:>12,.0f} µs, {measured.best * 1e6:,.0f} µs at best"
        f"   (REQ to REP, {measured.round_trips:,} of them; the first is the median)",
    ]


async def measure(one: str, other: str, size: int, seconds: float) -> Measured:
    """Measure both ways.

    Args:
      one, other: endpoints to bind.
    Raises:
      Failure: the other process has not come.
    """
    async with open_context() as ctx:
        pull, req = ctx.socket(PULL), ctx.socket(REQ, linger=0)
        each_second = await _one_way(pull, await pull.bind(one), size, seconds)
        await pull.aclose()
        times = await _round_trips(req, await req.bind(other), size, seconds)
    return Measured(
        each_second=each_second,
        bytes_each_second=each_second * size,
        round_trips=len(times),
        median=sorted(times)[len(times) // 2],
        best=min(times),
    )


async def _one_way(pull: PULL, endpoint: str, size: int, seconds: float) -> float:
    rate = 0.0
    async with trio.open_nursery() as nursery:
        await _start_peer(nursery, "push", endpoint, size)
        with trio.move_on_after(_PATIENCE):
            await pull.receive_many(_AT_ONCE)
            started, received = trio.current_time(), 0
            while (now := trio.current_time()) < started + seconds:
                received += len(await pull.receive_many(_AT_ONCE))
            rate = received / (now - started)
            nursery.cancel_scope.cancel(reason="all is measured")
    if not rate:
        raise Failure("the other process has not sent anything")
    return rate


async def _round_trips(req: REQ, endpoint: str, size: int, seconds: float) -> list[float]:
    times: list[float] = []
    message = bytes(size)
    async with trio.open_nursery() as nursery:
        await _start_peer(nursery, "rep", endpoint, size)
        with trio.move_on_after(_PATIENCE) as patience:
            await req.request(message)
        if patience.cancelled_caught:
            raise Failure("the other process has not answered")
        end = trio.current_time() + seconds
        while (began := trio.current_time()) < end or not times:
            await req.request(message)
            times.append(trio.current_time() - began)
        nursery.cancel_scope.cancel(reason="all is measured")
    return times[_FEW:] if len(times) > 2 * _FEW else times


async def _start_peer(nursery: trio.Nursery, kind: str, endpoint: str, size: int) -> None:
    """Start the other process; it ends with the nursery."""
    command = [sys.executable, "-m", "triomq", "bench", "--size", str(size), "--peer", kind, endpoint]

    async def run() -> None:
        await trio.run_process(command, check=False, stdin=subprocess.DEVNULL)

    nursery.start_soon(run)
    await trio.lowlevel.checkpoint()


async def _serve(kind: str, endpoint: str, size: int) -> None:
    """Be the other process, until it is ended."""
    async with open_context() as ctx:
        await (_push if kind == "push" else _reply)(ctx, endpoint, size)


async def _push(ctx: Context, endpoint: str, size: int) -> None:
    push = ctx.socket(PUSH, linger=0)
    push.connect(endpoint)
    messages = list(repeat(bytes(size), _AT_ONCE))
    while True:
        await push.send_many(messages)


async def _reply(ctx: Context, endpoint: str, size: int) -> None:
    rep = ctx.socket(REP, linger=0)
    rep.connect(endpoint)
    async for request in rep:
        await rep.send(request)
