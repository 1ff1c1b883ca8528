"""Standard input and output that are terminals, closed, full, or files."""

from __future__ import annotations

import fcntl
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from triomq._cli._exits import Failure
from triomq._cli._formats import FORMATS
from triomq._cli._sources import Source
from triomq._cli._streams import Output, read_some

from .conftest import OpenSocket
from .shell import PATIENCE, run

TRIOMQ = [sys.executable, "-W", "error", "-m", "triomq"]


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


async def test_reading_waits_and_leaves_the_pipe_as_it_is() -> None:
    with pipe() as (reader, writer):
        flags = fcntl.fcntl(reader, fcntl.F_GETFL)
        with trio.move_on_after(0.01) as scope:
            await read_some(reader)
        assert scope.cancelled_caught
        os.write(writer, b"hello")
        assert await read_some(reader) == b"hello"
        assert fcntl.fcntl(reader, fcntl.F_GETFL) == flags


async def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with (tmp_path / "file").open("rb") as file:
        assert await read_some(file.fileno()) == b"content"
        assert await read_some(file.fileno()) == b""


async def test_writing_waits_without_holding_up_others_and_can_be_given_up() -> None:
    with pipe() as (reader, writer):
        output = Output(writer)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(output.write, bytes(10_000_000))
            await trio.lowlevel.wait_readable(reader)  # it has begun, and does not end before somebody reads
            nursery.cancel_scope.cancel()
        assert nursery.cancel_scope.cancelled_caught
        total = 0  # let the thread end: what it was given is written
        while total < 10_000_000:
            total += len(await read_some(reader))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says so of a pipe to which nothing is written")
async def test_a_reader_that_goes_is_noticed_at_once() -> None:
    reader, writer = os.pipe()
    try:
        output = Output(writer)
        with pytest.RaisesGroup(BrokenPipeError):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(output.watch)
                await trio.testing.wait_all_tasks_blocked()
                os.close(reader)
                await trio.sleep(PATIENCE)
        with pytest.raises(BrokenPipeError):
            await output.write(b"x")
    finally:
        os.close(writer)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
async def test_a_full_disk_is_a_failure() -> None:
    fd = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(Failure, match="cannot write standard output: No space left on device"):
            await Output(fd).write(b"x")
    finally:
        os.close(fd)


async def test_given_messages_are_counted_repeated_and_paced(autojump_clock: trio.abc.Clock) -> None:
    lines = FORMATS["lines"]
    once = Source([(b"a",), (b"b",)], lines)
    assert [await once.next() for _ in range(3)] == [(b"a",), (b"b",), None]
    counted = Source([(b"a",), (b"b",)], lines, count=3, repeat=True, interval=2)
    began = trio.current_time()
    assert [await counted.next() for _ in range(4)] == [(b"a",), (b"b",), (b"a",), None]
    assert trio.current_time() - began == 4


@pytest.mark.slow
@pytest.mark.interop
def test_at_a_terminal_it_invites_and_shows_nothing_that_steers(endpoint: str, partner: OpenSocket) -> None:
    rep = partner("REP", bind=endpoint)
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen([*TRIOMQ, "req", "-c", endpoint], stdin=theirs, stdout=theirs, stderr=theirs) as process:
            seen = read_until(ours, b"Ctrl-D ends")
            os.write(ours, b"question\n")
            assert rep.recv() == b"question"
            rep.send(b"\x1b[2Janswer")
            seen += read_until(ours, b"answer")
            assert rb"\x1b[2Janswer" in seen
            assert b"\x1b[2J" not in seen
            os.write(ours, b"\x04")
            assert process.wait(PATIENCE) == 0
    finally:
        os.close(ours)
        os.close(theirs)


def read_until(fd: int, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        seen += os.read(fd, 1000)
    return seen


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "redirection", "code", "said"),
    [
        ("options", ">/dev/full", 1, "triomq: cannot write standard output: No space left on device\n"),
        ("options", ">&-", 0, ""),
        ("pull -b inproc://x -t 0.01", "<&- >&-", 2, "triomq pull: nothing arrived within 0.01 s\n"),
        ("push -b inproc://x", "<&-", 0, ""),
        ("options push", "2>&-", 0, ""),
    ],
)
def test_streams_that_are_closed_or_full(arguments: str, redirection: str, code: int, said: str) -> None:
    if "full" in redirection and not Path("/dev/full").exists():
        pytest.skip("this system has no full device")
    line = f"{' '.join(TRIOMQ)} {arguments} {redirection}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.stderr, done.returncode) == (said, code)


@pytest.mark.slow
def test_very_verbose_shows_the_log(endpoint: str) -> None:
    ended = run("pull", "-b", endpoint, "-t", "0.01", "-vv")
    assert endpoint in ended.errors
    assert "INFO" in ended.errors or "DEBUG" in ended.errors
