"""Where ``triomq top`` shows its pages: a terminal, a terminal with rich, or one page after another."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from typing import Any, Self, TextIO

import trio

from ._streams import Output


class Screen(ABC):
    """Shows one page after another."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the screen as it was before."""
        return

    @abstractmethod
    async def show(self, page: str) -> None:
        """Show a page in place of, or after, the one before."""

    async def watch(self) -> None:
        """Raise when nobody reads this any more."""
        await trio.sleep_forever()


class Pages(Screen):
    """For a file or a pipe: each page after the one before."""

    def __init__(self, output: Output) -> None:
        self._output = output

    async def show(self, page: str) -> None:
        await self._output.write(f"{page}\n".encode())

    async def watch(self) -> None:
        await self._output.watch()


class TerminalScreen(Screen):
    """A terminal's other screen, which shows the last page alone."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def __enter__(self) -> Self:
        self._write("\033[?1049h\033[?25l")
        return self

    def __exit__(self, *_: object) -> None:
        self._write("\033[?25h\033[?1049l")

    async def show(self, page: str) -> None:
        columns, rows = shutil.get_terminal_size()
        self._write("\033[H\033[J" + "\n".join(fit(page, columns, rows)))
        await trio.lowlevel.checkpoint()

    def _write(self, text: str) -> None:
        self._terminal.write(text)
        self._terminal.flush()


def fit(page: str, columns: int, rows: int) -> list[str]:
    """The lines of a page that fit a terminal, and how many do not."""
    lines = [line[:columns] for line in page.splitlines()]
    if len(lines) <= rows:
        return lines
    return [*lines[: rows - 1], f"... {len(lines) - rows + 1} more lines"[:columns]]


class _RichScreen(Screen):
    """A terminal's other screen by rich, in colours."""

    def __init__(self, live: Any, text: Any) -> None:
        self._live = live
        self._text = text

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    async def show(self, page: str) -> None:
        columns, rows = shutil.get_terminal_size()
        shown = self._text("\n".join(fit(page, columns, rows)))
        shown.highlight_regex(r"\A.*", "bold cyan")  # the program
        shown.highlight_regex(r"(?m)^  #.*|^  socket.*", "dim")  # the names of columns
        shown.highlight_regex(r"(?m)^\S.*$", "bold")  # titles
        self._live.update(shown, refresh=True)
        await trio.lowlevel.checkpoint()


def open_rich_screen() -> Screen | None:
    """A screen by rich; None if that is not installed. It has no thread of its own."""
    try:
        from rich.live import Live
        from rich.text import Text
    except ImportError:
        return None
    return _RichScreen(Live(screen=True, auto_refresh=False), Text)
