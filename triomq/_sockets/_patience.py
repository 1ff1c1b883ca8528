"""How often a task looks for the answer to what it has just sent, before it waits.

Theory of operation

To go to sleep and to be woken by the answer costs both programs much more than the answer does: on a virtual machine
100 µs, in which each processor works for 40. A peer that answers within a few iterations of trio's loop, of 5 µs or so
each, is better looked for between these. A peer that takes longer had better be waited for: to look in vain costs the
processor's time. Which it will be is known by the answers so far.
"""

from __future__ import annotations

from typing import Final

MOST_LOOKS: Final = 5
REST: Final = 32  # answers that are waited for at once, until looks are tried again


class Patience:
    """Says how often to look for the next answer: not at all for a while, when the last ones did not come so soon."""

    __slots__ = ("_looks", "_rested")

    def __init__(self) -> None:
        self._looks = MOST_LOOKS
        self._rested = 0

    def looks(self) -> int:
        """How often to look for the answer that is expected now. To be asked once for each."""
        if not self._looks:
            self._rested += 1
            if self._rested > REST:
                self._looks, self._rested = MOST_LOOKS, 0
        return self._looks

    def note(self, found: bool) -> None:
        """Tell whether the answer came during the looks."""
        self._looks = MOST_LOOKS if found else self._looks // 2
