"""Ctrl-C ends a program in every blocked state, at once and quietly (C12)."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .interrupted import STATES

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be sent SIGINT alone")
PROGRAM = Path(__file__).with_name("interrupted.py")
WITHIN = 60.0  # seconds, for a machine that is busy; where it is not, it is milliseconds. What hangs, hangs for 1000
# Two of the states are those of a socket that lingers. In others, two sockets close that may be about to meet, or have
# a message between them.
LEFT = re.compile(
    r"PUSH tcp://127\.0\.0\.1:\d+: (1 message (for a PULL )?was not sent "
    r"(before closing was cancelled|within linger=1 s), and is dropped(: nobody was connected)?"
    r"|no handshake with the peer: the peer closed the connection during the greeting; next attempt in [0-9.]+ s)"
)
"""The interrupt ends the closing, or comes when that is over."""

Program = subprocess.Popen[str]


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    """One process for all states, one trio run after the other.

    In the end it has complained of messages that were left, and of nothing else.
    """
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background may ignore it
    program = subprocess.Popen(
        [sys.executable, "-W", "error", "-X", "dev", str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    signal.signal(signal.SIGINT, handler)
    with program:
        yield program
        with killed_in_the_end(program):
            out, err = program.communicate()
    assert (out, program.returncode) == ("", 0)
    assert not [line for line in err.splitlines() if not LEFT.fullmatch(line)]


@contextmanager
def killed_in_the_end(program: Program) -> Iterator[None]:
    """Kill the program if the block takes too long: so it ends whatever it waits for."""
    timer = threading.Timer(WITHIN, program.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


@pytest.mark.parametrize("state", [*STATES, *(f"{state} io_thread" for state in STATES)])
def test_a_program_ends_with_keyboard_interrupt_and_nothing_else(program: Program, state: str) -> None:
    """In no group, with no traceback on the way, no "never awaited", no "exception ignored"."""
    assert program.stdin is not None
    assert program.stdout is not None
    with killed_in_the_end(program):
        print(state, file=program.stdin, flush=True)
        assert program.stdout.readline() == "ready\n"
        program.send_signal(signal.SIGINT)
        assert program.stdout.readline() == "interrupted\n"
