"""How the command line ends: its exit codes, and the errors that carry one."""

from __future__ import annotations

import signal
import sys
from typing import Final

from .. import RemoteProtocolError

DONE: Final = 0
FAILED: Final = 1
"""It did not work, or was found wrong; standard error says why."""
TIMED_OUT: Final = 2
"""What ``--timeout`` allows was over."""
DROPPED: Final = 3
"""Messages were lost on their way out."""
USAGE: Final = 64
"""The command line itself is wrong (EX_USAGE of sysexits.h)."""
BROKEN_PIPE: Final = 128 + signal.SIGPIPE
"""The reader of standard output, such as ``head``, has gone."""


class Failure(Exception):
    """Ends the command with a line on standard error.

    Attributes:
      code: the exit code.
    """

    def __init__(self, text: str, code: int = FAILED) -> None:
        super().__init__(text)
        self.code = code


class UsageError(Failure):
    """The command line itself is wrong."""

    def __init__(self, text: str) -> None:
        super().__init__(text, USAGE)


def first_error(error: BaseException) -> BaseException:
    """The error itself or, of a group, the first one in it that is no group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def describe(error: BaseException) -> str:
    """What an error says, without the numbers that only help who looks into the system or the bytes."""
    if isinstance(error, RemoteProtocolError):
        return error.reason
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


class Teller:
    """Tells the user on standard error what is going on, each line with the command's name.

    Args:
      command: such as ``push``.
      verbosity: -1 tells of failures alone, 1 of every connection, 2 of everything.
    """

    def __init__(self, command: str, verbosity: int = 0) -> None:
        self.verbosity = verbosity
        self._command = command

    def tell(self, text: str, *, at: int = 0) -> None:
        """Write a line, if the user wants to know as much as that."""
        if self.verbosity >= at:
            write_error(f"triomq {self._command}: {text}\n")


def write_error(text: str) -> None:
    """Write to standard error, if there is one."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        pass  # nobody reads it, and there is nobody else to tell
