"""Arguments of the command line: what a word may be, and what it means."""

from __future__ import annotations

import argparse
import math
import os
import shutil
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from ._exits import USAGE, write_error


class Parser(argparse.ArgumentParser):
    """A parser whose help keeps the lines of its examples and whose errors say where the help is."""

    def __init__(self, **arguments: Any) -> None:
        arguments.setdefault("formatter_class", _Help)
        paragraphs = str(arguments.pop("description", "")).split("\n")
        width = max(terminal_width() - 2, 38)
        super().__init__(description="\n".join(textwrap.fill(one, width) for one in paragraphs), **arguments)

    def error(self, message: str) -> NoReturn:
        """End the process with one line about what is wrong, and one about where to read on."""
        write_error(f"{self.prog}: {message}\n('{self.prog} --help' explains)\n")
        self.exit(USAGE)


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help for a terminal of any width; its examples keep their lines."""

    def __init__(self, prog: str, **arguments: Any) -> None:
        arguments.setdefault("width", max(terminal_width() - 2, 38))
        arguments.setdefault("max_help_position", 28 if terminal_width() >= 70 else 8)
        super().__init__(prog, **arguments)


def terminal_width() -> int:
    """Columns."""
    return shutil.get_terminal_size().columns


def endpoint(text: str) -> str:
    """An endpoint; ``:5555`` is a port of this machine, and a path that begins with ``/`` or ``./`` is an ipc one."""
    if text.startswith(":") and text[1:].isdecimal():
        return f"tcp://127.0.0.1{text}"
    if text.startswith(("/", "./", "../")):
        return f"ipc://{text}"
    return text


def encoded(text: str) -> bytes:
    """An argument as the bytes that the shell has passed."""
    return os.fsencode(text)


def seconds(text: str) -> float:
    """A time above 0."""
    number = _number(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return number


def seconds_or_none(text: str) -> float:
    """A time of 0 or more; ``inf`` is for ever."""
    number = _number(text)
    if not number >= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, 0 or more (inf for ever)")
    return number


def finite_seconds(text: str) -> float:
    """A time above 0 that ends."""
    number = _number(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def whole(least: int) -> Callable[[str], int]:
    """A whole number that is no less."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdecimal()) or int(text) < least:
            wanted = "above 0" if least == 1 else f", {least} or more"
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number {wanted}".replace(" ,", ","))
        return int(text)

    return number


class Append(argparse.Action):
    """Puts a value, with a mark, after the others of its list, so that their order is kept across several options."""

    def __init__(self, *arguments: Any, mark: str, **further: Any) -> None:
        super().__init__(*arguments, **further)
        self._mark = mark

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """See `argparse.Action`."""
        setattr(namespace, self.dest, [*(getattr(namespace, self.dest) or []), (self._mark, values)])
