"""The command line as a process, in real time. Every wait has an end, and nothing depends on how long it is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import attrs

PATIENCE = 60.0  # seconds after which what is waited for will not come

# Variables that would change what is tested.
_ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "PYTHONUTF8")}


@attrs.frozen
class Ended:
    """What a command wrote, and its exit code."""

    output: bytes
    errors: str
    code: int


def start(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start a command; its standard streams are pipes."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "triomq", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**_ENVIRONMENT, **environment},
        start_new_session=True,
    )


def finish(process: subprocess.Popen[bytes], data: bytes | None = None) -> Ended:
    """Give a command the rest of its input, and wait for its end."""
    output, errors = process.communicate(data, timeout=PATIENCE)
    text = errors.decode("utf-8")
    assert "Traceback" not in text, text
    return Ended(output, text, process.returncode)


def run(*arguments: str, data: bytes | None = None, **environment: str) -> Ended:
    """Run a command to its end."""
    with start(*arguments, **environment) as process:
        return finish(process, data)


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs for as long as the block; one that has not ended by itself is killed."""
    with start(*arguments, **environment) as process:
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


def line_of(process: subprocess.Popen[bytes]) -> bytes:
    """Wait for a line of a command's output."""
    assert process.stdout is not None
    return process.stdout.readline()


def error_line_of(process: subprocess.Popen[bytes]) -> str:
    """Wait for a line of what a command tells on standard error."""
    assert process.stderr is not None
    return process.stderr.readline().decode()
