"""What the sockets of one context have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import trio

from .. import _statistics
from .._connections import Carriers, Gate
from .._runtime import Runtime
from ._forgotten import Forgotten
from ._monitors import Observer

if TYPE_CHECKING:
    from ._rows import Gone
    from ._socket import Socket

_LONGEST_NAME: Final = 100  # characters
_SUMS: Final = (
    "messages_sent", "messages_received", "messages_dropped", "bytes_sent", "bytes_received", "reconnects"
)  # fmt: skip
NO_THREAD: Final = -1
"""no thread has this identifier: every call of a socket that has it looks closer, and is refused"""


def let_calls_look_closer(socket: Socket) -> None:
    """In a forked child: let the next call of the socket find where it is."""
    socket._thread = NO_THREAD


class Shared:
    """What the sockets of one context have in common.

    Attributes:
      runtime: tasks, turns, the flusher.
      carriers: by scheme.
      gate: asks whether a peer may come in.
      sockets: those that are not closed, in the order in which they were made.
      forgotten: those of them that the program has dropped; it keeps the others alive itself.
      observers: are told what happens to the sockets.
      made: how many sockets were made so far.
      sums: what the sockets counted that are closed, by the name that `ContextStatistics` has for each.
    """

    __slots__ = ("carriers", "forgotten", "gate", "made", "observers", "runtime", "sockets", "sums")

    def __init__(self, runtime: Runtime, carriers: Carriers, observers: Iterable[Observer]) -> None:
        self.runtime: Runtime = runtime
        self.carriers: Carriers = carriers
        self.gate: Gate = Gate()
        self.sockets: WeakKeyDictionary[Socket, None] = WeakKeyDictionary()
        self.forgotten: Forgotten = Forgotten(runtime)
        self.observers: list[Observer] = list(observers)
        self.made: int = 0
        self.sums: dict[str, int] = dict.fromkeys(_SUMS, 0)

    def enter(self, socket: Socket) -> int:
        """A socket was made. Returns: its number, counted from 1."""
        self.sockets[socket] = None
        self.runtime.bounds.sockets += 1
        self.made += 1
        return self.made

    def tell_made(self, socket: Socket) -> None:
        """Tell the observers of a new socket."""
        for observer in self.observers:
            observer.made(socket, len(self.sockets))

    def leave(self, socket: Socket, counted: Gone, dropped: int) -> None:
        """A socket is closed, and has counted this."""
        if self.sockets.pop(socket, self) is self:
            return
        self.forgotten.discard(socket)
        self.runtime.bounds.sockets -= 1
        counts = {**vars(counted), "messages_dropped": dropped}
        for name in self.sums:
            self.sums[name] += counts[name]

    def statistics(self) -> _statistics.ContextStatistics:
        """What all sockets count together."""
        sockets = tuple(socket.statistics() for socket in self.sockets)
        sums = {name: closed + sum(getattr(one, name) for one in sockets) for name, closed in self.sums.items()}
        return _statistics.ContextStatistics(
            at=trio.current_time(),
            connections=sum(peer.connected for one in sockets for peer in one.peers),
            unfinished_handshakes=sum(one.unfinished_handshakes for one in sockets),
            bytes_queued=self.runtime.bounds.bytes_waiting if self.runtime.bounds.counts_bytes else None,
            sockets=sockets,
            **sums,
        )


def check_name(name: Any) -> str | None:
    """The name of a socket, as the user gave it.

    Raises:
      TypeError: it is not a str.
      ValueError: it does not fit into a line of text.
    """
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name={name!r}: the name of a socket is a str, for people to read")
    if name is not None and not (name.isprintable() and 0 < len(name) <= _LONGEST_NAME):
        shown = repr(name[: _LONGEST_NAME + 1])
        raise ValueError(f"name={shown}: the name of a socket has 1 to {_LONGEST_NAME} characters that can be printed")
    return name
