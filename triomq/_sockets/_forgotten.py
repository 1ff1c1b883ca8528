"""Sockets that nobody has any more and nobody closed.

Theory of operation

A context closes its sockets when it is left, and keeps them until then only by weak references. A socket that the
program drops is collected, says so from its finalizer, and is kept here from then on: what it has accepted still
leaves, and its context still closes it.

Still it is a mistake: it keeps a connection, a port, or messages for nobody, as long as the context lives, and whoever
makes a socket for each message runs out of descriptors. So the program is told of each by a `ResourceWarning`, as
Python does for files. A program that ends drops its sockets in any order, and a task that was cancelled drops its own
before the context is left: that is what a context is for. So the warning comes a moment later, and not at all if the
context is being left by then. A socket without endpoints holds nothing, and is closed without a word.
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trio

if TYPE_CHECKING:
    from .._runtime import Runtime
    from ._socket import Socket

_GRACE: Final = 0.1
"""seconds from the moment a socket is dropped to the warning"""


class Forgotten:
    """The dropped sockets of one context.

    Args:
      runtime: of the context.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._sockets: dict[Socket, None] = {}
        self._unused: dict[Socket, None] = {}  # those without endpoints, which hold nothing open
        self._untold: dict[Socket, None] = {}

    def keep(self, socket: Socket) -> None:
        """The socket was dropped: keep it. Called by a finalizer: from any thread, in the midst of anything."""
        self._sockets[socket] = None
        self._untold[socket] = None
        with suppress(trio.RunFinishedError):  # the run was given up, and everything with it
            self._runtime.token.run_sync_soon(self._begin)

    def discard(self, socket: Socket) -> None:
        """The socket is closed."""
        self._sockets.pop(socket, None)
        self._unused.pop(socket, None)
        self._untold.pop(socket, None)

    def _begin(self) -> None:
        for socket in [one for one in self._untold if not one.endpoints]:
            self.discard(socket)
            self._unused[socket] = None
            socket._end_unused()
        dropped, self._untold = self._untold, {}
        if dropped and not self._runtime.ending:
            self._runtime.nursery.start_soon(self._tell, dropped, name="triomq forgotten sockets")

    async def _tell(self, dropped: dict[Socket, None]) -> None:
        await trio.sleep(_GRACE)
        if self._runtime.ending:
            return
        for socket in dropped:
            if socket in self._sockets:
                others = len(self._sockets) - 1
                more = f", as {_many(others)} of this context" if others else ""
                advice = "close each when it is done with, or write 'async with'"
                _Warning(f"{socket!r} was forgotten and is still open{more}: {advice}", socket)


def _many(others: int) -> str:
    return "is 1 other" if others == 1 else f"are {others} others"


class _Warning:
    """Warns when it is dropped, at once: a warning that is made an error is then reported, and ends no task of ours."""

    def __init__(self, text: str, socket: Socket) -> None:
        self._text = text
        self._socket = socket

    def __del__(self) -> None:
        warnings.warn(self._text, ResourceWarning, source=self._socket, stacklevel=2)
