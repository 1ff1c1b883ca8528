"""Ctrl-C ends a program in every blocked state, at once and quietly (C12)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .interrupted import STATES

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be sent SIGINT alone")
PROGRAM = Path(__file__).with_name("interrupted.py")
WITHIN = 5  # seconds, for a machine that is busy; where it is not, it is milliseconds. What hangs, hangs for 1000


@pytest.mark.parametrize("state", STATES)
def test_a_program_ends_with_keyboard_interrupt_and_nothing_else(state: str) -> None:
    """In no group, with no traceback on the way, no "never awaited", no "exception ignored"."""
    program = subprocess.Popen(
        [sys.executable, "-W", "error", "-X", "dev", str(PROGRAM), state],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with program:
        assert program.stdout is not None
        said = program.stdout.readline()
        program.send_signal(signal.SIGINT)
        try:
            out, err = program.communicate(timeout=WITHIN)
        finally:
            program.kill()
    assert (said, out, err, program.returncode) == ("ready\n", "interrupted\n", "", 0)
