"""Real sockets on a mock clock are refused: it jumps while something is on its way, and the test fails now and then."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

from ..conftest import REAL_SOCKETS_IN_VIRTUAL_TIME
from .package import ROOT

MIXED = """
import socket
import pytest, trio, trio.testing, triomq

def clocked(main):
    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))

async def meet(bind, context):
    async with context as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH, linger=0)
        push.connect(await pull.bind(bind))
        await push.send(b"it")
        await pull.receive()

async def test_bad_tcp(autojump_clock):
    await meet("tcp://127.0.0.1:0", triomq.open_context())

async def test_bad_ipc(mock_clock, tmp_path):
    await meet(f"ipc://{tmp_path}/it", triomq.open_context())

async def test_bad_beside_a_network(virtual_network):
    await meet("tcp://127.0.0.1:0", triomq.open_context())

def test_bad_by_hand():
    async def main():
        await trio.open_tcp_listeners(0, host="127.0.0.1")
    with pytest.raises(RuntimeError):
        clocked(main)

def test_bad_dial():
    async def main():
        with trio.socket.socket() as it, pytest.raises(RuntimeError):
            await it.connect(("127.0.0.1", 9))
    clocked(main)

async def test_good_in_real_time(tmp_path):
    for bind in "tcp://127.0.0.1:0", f"ipc://{tmp_path}/it":
        await meet(bind, triomq.open_context())

async def test_good_inproc(autojump_clock):
    await meet("inproc://it", triomq.open_context())

async def test_good_virtual(virtual_network):
    for bind in "tcp://127.0.0.1:0", "ipc://it":
        await meet(bind, virtual_network.open_context())

def test_good_without_trio():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
"""


def test_a_test_that_mixes_them_fails(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text("utf-8"), "utf-8")
    (tmp_path / "test_planted.py").write_text(MIXED)
    (tmp_path / "pytest.ini").write_text("[pytest]\ntrio_mode = true\n")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = [line.split() for line in result.stdout.splitlines() if "test_planted.py::" in line]
    bad = {line[1].rpartition("::")[2] for line in lines if line[0] in ("FAILED", "ERROR")}
    good = {line[1].rpartition("::")[2] for line in lines if line[0] == "PASSED"} - bad
    assert bad == {"test_bad_tcp", "test_bad_ipc", "test_bad_beside_a_network", "test_bad_by_hand", "test_bad_dial"}
    assert good == {"test_good_in_real_time", "test_good_inproc", "test_good_virtual", "test_good_without_trio"}
    assert "use triomq.testing.VirtualNetwork, or real time" in result.stdout


def test_who_may_mix_them_exists_and_says_why() -> None:
    for test, reason in REAL_SOCKETS_IN_VIRTUAL_TIME.items():
        path, _, name = test.partition("::")
        tree = ast.parse((ROOT / "tests" / path).read_text("utf-8"))
        (function,) = [node for node in tree.body if getattr(node, "name", "") == name]
        assert {argument.arg for argument in function.args.args} & {"autojump_clock", "mock_clock"}
        assert len(reason) > 20
