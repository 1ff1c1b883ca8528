"""`triomq top`: the sockets of a running program, as a person reads them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import trio

import triomq
from triomq._cli._exits import Failure
from triomq._cli._screens import fit
from triomq._cli._top import page, read_snapshot
from triomq._statistics import to_plain

from ..tools.test_serve_statistics import SNAPSHOT
from .conftest import OpenSocket
from .shell import finish, line_of, run, start

GOLDEN = Path(__file__).parent / "golden"


def reply(version: object = 1, **changes: object) -> bytes:
    value = {"format": "triomq statistics", "version": version, "program": "feed.py", "pid": 7}
    return json.dumps({**value, "statistics": to_plain(SNAPSHOT), **changes}).encode()


def test_a_page_reads_as_it_did() -> None:
    later = to_plain(SNAPSHOT)
    later["at"] += 2
    later["messages_sent"] += 500
    later["sockets"][0]["at"] += 2
    later["sockets"][0]["messages_sent"] += 500
    earlier, snapshot = read_snapshot(reply()), read_snapshot(reply(statistics=later))
    assert page(snapshot, earlier, peers=True) == (GOLDEN / "top.txt").read_text("utf-8")
    assert page(earlier, None, peers=False) in (
        page(earlier, earlier, peers=False),
        page(earlier, snapshot, peers=False),
    )
    restarted = read_snapshot(reply(pid=8))
    assert "/s sent" not in page(restarted, earlier, peers=False)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"hello", "whoever answers there is no program with triomq.serve_statistics: "),
        (b"[]", "whoever answers there is no program"),
        (b'{"format": "another"}', "its format is 'another'"),
        (reply(version=2), "the program speaks version 2 of the statistics, and this triomq version 1: use the triomq"),
        (reply(statistics={}), "these are no statistics of a context"),
    ],
)
def test_what_is_no_snapshot(said: bytes, why: str) -> None:
    with pytest.raises(Failure) as failed:
        read_snapshot(said)
    assert why in str(failed.value)


def test_a_page_is_cut_to_the_terminal() -> None:
    text = "\n".join("x" * 50 for _ in range(10))
    assert fit(text, 40, 10) == ["x" * 40] * 10
    assert fit(text, 10, 4) == ["x" * 10] * 3 + ["... 7 more"]


@pytest.mark.slow
async def test_the_command_shows_a_program(endpoint: str) -> None:
    def watch() -> list[bytes]:
        once = run("top", endpoint, "--once", "--peers", "-t", "60")
        assert (once.code, once.errors) == (0, "")
        assert b"PULL 'sink'" in once.output
        with start("top", endpoint, "--interval", "0.05", "-t", "60") as process:
            lines = [line_of(process)]
            while not re.search(rb", in \d+.* ms: .*/s sent", lines[-1]):
                lines.append(line_of(process))
            process.stdout.close()
            process.stdout = None
            ended = finish(process)
        assert (ended.code, ended.errors) == (141, "")
        return lines

    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        await nursery.start(triomq.serve_statistics, ctx, endpoint)
        sink = ctx.socket(triomq.PULL, name="sink")
        await sink.bind("inproc://sink")
        lines = await trio.to_thread.run_sync(watch)
        nursery.cancel_scope.cancel()
    assert lines[0].rstrip().endswith(b")")


@pytest.mark.slow
def test_a_program_that_is_none(endpoint: str, partner: OpenSocket) -> None:
    ended = run("top", endpoint, "--once", "-t", "0.1")
    assert ended.code == 2
    assert ended.errors.endswith(f"triomq top: nobody at {endpoint} has answered within 0.1 s\n")
    rep = partner("REP", bind=endpoint)
    with start("top", endpoint, "--once", "-t", "60") as process:
        assert rep.recv() == b"statistics"
        rep.send(b"hello")
        ended = finish(process)
    assert ended.code == 1
    assert ended.errors.startswith("triomq top: whoever answers there is no program with triomq.serve_statistics: ")
