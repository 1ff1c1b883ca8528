"""A line on a terminal that is written over and over, and goes away in the end."""

from __future__ import annotations

from typing import Self, TextIO

import trio


class LiveLine:
    """The last line of a terminal, for as long as the block lasts."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._started = trio.current_time()

    def __enter__(self) -> Self:
        return self

    def show(self, text: str) -> None:
        """Show a text after the seconds that have gone by, in place of the text before."""
        self._write(f"\r\033[K  {trio.current_time() - self._started:4.1f} s   {text} ")

    def __exit__(self, *_: object) -> None:
        self._write("\r\033[K")

    def _write(self, text: str) -> None:
        self._terminal.write(text)
        self._terminal.flush()


class Rate:
    """How fast a count grows: over the last second or so."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []

    def of(self, count: int) -> float:
        """Take note of a count. Returns: by how many it grows each second."""
        now = trio.current_time()
        self._seen.append((now, count))
        while len(self._seen) > 2 and self._seen[1][0] <= now - 1:
            del self._seen[0]
        then, before = self._seen[0]
        return (count - before) / (now - then) if now > then else 0.0
