"""What the demos have in common: a heading, a live line on a terminal, what came out, and what was wrong with it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TextIO

import attrs
import trio

from .._exits import DONE, FAILED
from .._live import LiveLine
from .._signals import Interruption


@attrs.frozen
class Outcome:
    """What a demo has found.

    Attributes:
      text: for the user.
      faults: what was wrong, one line each.
      right: what to say if nothing was.
    """

    text: str
    faults: list[str]
    right: str


def show(heading: str, play: Callable[[], Awaitable[Outcome]]) -> int:
    """Play a demo and print what came of it.

    Returns: 0 if all was right, 1 if not, 128 and the signal's number if it was interrupted.
    """
    with Interruption() as interruption:
        print(heading, flush=True)

        async def run(_: Interruption) -> Outcome:
            return await play()

        outcome = trio.run(interruption.run, run)
        if outcome is None:
            assert interruption.number is not None
            print(f"Interrupted by {signal.Signals(interruption.number).name}.", flush=True)
            return 128 + interruption.number
        print(outcome.text)
        print("\n".join([f"WRONG: {fault}" for fault in outcome.faults]) or outcome.right, flush=True)
    return FAILED if outcome.faults else DONE


async def show_live(text: Callable[[], str]) -> None:
    """Show a text on a terminal, again and again, until cancelled; elsewhere nothing."""
    terminal: TextIO = sys.stdout
    if not terminal.isatty():
        return
    with LiveLine(terminal) as line:
        while True:
            line.show(text())
            await trio.sleep(0.1)
