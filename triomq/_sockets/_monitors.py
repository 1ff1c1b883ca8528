"""The listeners to what happens to one socket: its monitors, and the observers of its context."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol
from weakref import ref

from .._events import Monitor, MonitorEvent
from .._pipes import Pipe

if TYPE_CHECKING:
    from ._socket import Socket


class Observer(ABC):
    """Is told at once what happens to every socket of a context; see `Context.observe`.

    No method may wait or raise: an exception ends the context as an internal error.
    """

    def made(self, socket: Socket, count: int) -> None:  # noqa: B027  # most observers wait for events
        """A socket was made. ``count`` sockets of the context are open, this one included."""

    def heartbeat(self, socket: Socket, address: str, round_trip: float) -> None:  # noqa: B027  # likewise
        """The peer at ``address`` has answered a heartbeat after ``round_trip`` seconds. No event tells of that."""

    @abstractmethod
    def event(self, socket: Socket, event: MonitorEvent) -> None:
        """Something happened to a socket; its monitors are told the same."""

    @abstractmethod
    def closed(self, socket: Socket) -> None:
        """A socket has ended. This is the last call for that socket."""


class Herald(Protocol):
    """Who tells what happens to one socket; `Monitors` are."""

    suffix: str
    """What names of the socket's tasks end with."""

    def emit(self, event: MonitorEvent) -> None:
        """Tell an event."""

    def heartbeat(self, pipe: Pipe) -> None:
        """Tell that a peer has answered a heartbeat."""


class Monitors:
    """The monitors of one socket, and the observers of its context.

    Args:
      socket: what the observers are told of.
      observers: of the context; it may grow.
      name: of the socket.

    Attributes:
      suffix: what names of the socket's tasks end with.
    """

    __slots__ = ("_ended", "_monitors", "_observers", "_socket", "suffix")

    def __init__(self, socket: Socket, observers: Sequence[Observer], name: str | None = None) -> None:
        self.suffix: str = "" if name is None else f" of {name!r}"
        self._socket = ref(socket)  # weakly: the socket has us
        self._ended = False
        self._observers: Sequence[Observer] = observers
        self._monitors: list[ref[Monitor]] = []  # weakly: one that the program has dropped is told nothing more

    def open(self, size: int) -> Monitor:
        """A new monitor, from now on."""
        monitor = Monitor(size)
        self._monitors = [*map(ref, self._listening()), ref(monitor)]
        return monitor

    @property
    def watched(self) -> bool:
        """Somebody may still receive from a monitor."""
        return bool(self._listening())

    def _listening(self) -> list[Monitor]:
        """The monitors that somebody has, and nobody has closed."""
        monitors = [monitor for one in self._monitors if (monitor := one()) is not None]
        return [monitor for monitor in monitors if not monitor._closed]

    def emit(self, event: MonitorEvent) -> None:
        """Tell every monitor that is still open, and every observer.

        An event's error tells what happened, not where in our code: a traceback would keep the frames it went
        through alive, and with them this socket and all that had arrived on a connection, for as long as somebody has
        the event. That holds for what the error came from as well.
        """
        if (error := getattr(event, "error", None)) is not None:
            _forget_tracebacks(error)
        if self._monitors:
            listening = self._listening()
            if len(listening) < len(self._monitors):
                self._monitors = [ref(monitor) for monitor in listening]
            for monitor in listening:
                monitor._put(event)
        if self._observers and not self._ended and (socket := self._socket()) is not None:
            for observer in self._observers:
                observer.event(socket, event)

    def heartbeat(self, pipe: Pipe) -> None:
        """Tell the observers that a peer has answered a heartbeat."""
        seconds = pipe.round_trip
        if seconds is not None and not self._ended and (socket := self._socket()) is not None:
            for observer in self._observers:
                observer.heartbeat(socket, pipe.address, seconds)

    def end(self) -> None:
        """The socket is closed: the monitors end when they are empty."""
        for monitor in self._listening():
            monitor._end()
        ended, self._ended = self._ended, True
        if not ended and (socket := self._socket()) is not None:
            for observer in self._observers:
                observer.closed(socket)


def _forget_tracebacks(error: BaseException) -> None:
    """Forget where an exception was raised, and every other that it leads to."""
    seen: set[int] = set()
    ahead: list[BaseException | None] = [error]
    while ahead:
        one = ahead.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.__traceback__ = None
        ahead += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            ahead += one.exceptions
