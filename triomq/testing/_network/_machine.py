"""Whether a host lives: its kernel, and the process that runs on it."""

from __future__ import annotations

from collections.abc import Callable


class Machine:
    """As much of a `Host` as its listeners and streams know.

    Attributes:
      name: the host's.
      up: the kernel lives.
      running: the process lives.
      paused: the process is stopped; the kernel is not.
      boots: how many times the kernel has died.
    """

    def __init__(self, name: str) -> None:
        self.name: str = name
        self.up: bool = True
        self.running: bool = True
        self.paused: bool = False
        self.boots: int = 0
        self._deferred: list[Callable[[], None]] = []

    def when_running(self, action: Callable[[], None]) -> None:
        """Call ``action`` now or, while the process is paused, when it goes on; never, if it dies before that."""
        if self.paused:
            self._deferred.append(action)
        else:
            action()

    def pause(self) -> None:
        """Stop the process."""
        self.paused = True

    def resume(self) -> None:
        """Let the process go on: first with what was deferred."""
        self.paused = False
        deferred, self._deferred = self._deferred, []
        for action in deferred:
            action()

    def end_process(self) -> None:
        """The process dies: what was deferred never happens."""
        self.running = self.paused = False
        self._deferred.clear()

    def end_kernel(self) -> None:
        """The kernel dies."""
        self.up = False
        self.boots += 1

    def begin(self) -> None:
        """Kernel and process live again."""
        self.up = self.running = True
