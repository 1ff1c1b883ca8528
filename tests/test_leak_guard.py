"""The guard of `conftest` has teeth: a suite of leaking tests fails, and only the leaking ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LEAKING = """
import socket, subprocess, sys, threading
import trio
from hypothesis import given, strategies as st

kept = []
stop = threading.Event()

def test_leaks_a_descriptor():
    kept.append(socket.socket())

async def test_leaks_a_descriptor_in_trio(nursery):
    kept.append(trio.socket.socket())

def test_leaks_a_descriptor_in_a_cycle():
    cycle = [socket.socket()]
    cycle.append(cycle)

def test_leaks_a_thread():
    threading.Thread(target=stop.wait, daemon=True).start()

def test_leaks_a_child():
    kept.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))

async def test_clean_in_trio():
    await trio.to_thread.run_sync(lambda: None)
    for listener in await trio.open_tcp_listeners(0, host="127.0.0.1"):
        await listener.aclose()
    await trio.run_process([sys.executable, "-c", ""])

@given(st.binary())
async def test_clean_with_hypothesis(data):
    await trio.lowlevel.checkpoint()

def test_clean_in_a_thread():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()

async def test_clean_up():
    stop.set()
    for thing in kept:
        if isinstance(thing, subprocess.Popen):
            thing.communicate()
        else:
            thing.close()
"""
CONFIGURATION = """[pytest]
trio_mode = true
filterwarnings =
    error
    ignore:It looks like .register_random. was passed:
"""


def test_what_a_test_leaves_behind_fails_it(tmp_path: Path) -> None:
    conftest = (Path(__file__).parent / "conftest.py").read_text("utf-8").replace("GRACE = 20.0", "GRACE = 0.2")
    (tmp_path / "conftest.py").write_text(conftest, "utf-8")
    (tmp_path / "test_planted.py").write_text(LEAKING)
    (tmp_path / "pytest.ini").write_text(CONFIGURATION)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    failed = {line.split("::")[1].split()[0] for line in result.stdout.splitlines() if line.startswith("ERROR")}
    assert failed == {
        "test_leaks_a_descriptor",
        "test_leaks_a_descriptor_in_trio",
        "test_leaks_a_descriptor_in_a_cycle",
        "test_leaks_a_thread",
        "test_leaks_a_child",
    }, result.stdout
    assert "FAILED" not in result.stdout
    assert "9 passed, 5 errors" in result.stdout
