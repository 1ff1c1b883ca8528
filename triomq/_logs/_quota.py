"""How many lines of one kind there may be: a stranger who comes a thousand times a second has no thousand lines."""

from __future__ import annotations

import math
from typing import Final

EVERY: Final = 60.0
"""seconds in which few lines of one kind are written"""
_DIFFERENT: Final = 4  # of them, if they say something different


class Quota:
    """Lines of one kind about one socket: each different one at once, up to four a minute; the others are counted.

    What is kept does not grow with the number of those who come.

    Attributes:
      left_out: how many things had no line since the last one.
    """

    __slots__ = ("_begun", "_said", "left_out")

    def __init__(self) -> None:
        self.left_out: int = 0
        self._begun: float = -math.inf
        self._said: set[str] = set()

    def admits(self, text: str, count: int, now: float) -> bool:
        """Whether there may be a line for this now; else it is counted.

        Args:
          text: what makes it different from others.
          count: how many things the line is about.
        """
        if now >= self._begun + EVERY:
            self._begun = now
            self._said = {text}
            return True
        if text not in self._said and len(self._said) < _DIFFERENT:
            self._said.add(text)
            return True
        self.left_out += count
        return False

    def take_left_out(self) -> int:
        """How many things had no line since this was asked last."""
        left_out, self.left_out = self.left_out, 0
        return left_out
