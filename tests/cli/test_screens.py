"""Where `triomq top` draws: a terminal is left as it was, and rich is used if it is there."""

from __future__ import annotations

import io
import sys

import pytest
import trio

from triomq._cli._screens import TerminalScreen, open_rich_screen

PAGE = "feed.py (7)\n\n1 socket: 5 sent\n  socket  sent/s\n  PUB x        5\n"


async def test_a_terminal_is_left_as_it_was() -> None:
    terminal = io.StringIO()
    with trio.CancelScope() as scope, TerminalScreen(terminal) as screen:
        await screen.show(PAGE)
        scope.cancel()
        await screen.watch()
    text = terminal.getvalue()
    assert text.startswith("\033[?1049h\033[?25l\033[H\033[J")
    assert text.endswith(PAGE.rstrip() + "\033[?25h\033[?1049l")


async def test_rich_draws_in_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    rich = pytest.importorskip("rich")
    console = pytest.importorskip("rich.console")
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = io.StringIO()
    monkeypatch.setattr(rich, "_console", console.Console(file=terminal, force_terminal=True, width=40, height=10))
    opened = open_rich_screen()
    assert opened is not None
    with opened as screen:
        await screen.show(PAGE)
    text = terminal.getvalue()
    assert "\033[?1049h" in text
    assert text.rstrip().endswith(("\033[?1049l", "\033[?25h"))
    assert "mfeed.py (7)\033[0m" in text


def test_without_rich_there_is_no_such_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.live", None)
    assert open_rich_screen() is None
