"""How long other tasks wait while some go on: a pass of trio's loop."""

from __future__ import annotations

import trio


class LongestPass(trio.abc.Instrument):
    """The longest time that all steps of tasks between two looks of trio's for events took together.

    Attributes:
      seconds: that time.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._this = 0.0
        self._began = trio.current_time()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """See `trio.abc.Instrument`."""
        self._began = trio.current_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """See `trio.abc.Instrument`."""
        self._this += trio.current_time() - self._began

    def before_io_wait(self, timeout: float) -> None:
        """See `trio.abc.Instrument`."""
        self.seconds = max(self.seconds, self._this)
        self._this = 0.0
