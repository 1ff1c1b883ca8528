"""A host: what its kernel knows, what runs on it, and how it dies."""

from __future__ import annotations

from typing import Final, Literal, Protocol, final

import trio

from ._listener import VirtualListener
from ._machine import Machine
from ._stream import VirtualStream

_FIRST_PORT: Final = 49152  # the first of the ports that the system hands out (RFC 6335 §6)
_LAST_PORT: Final = 65535


class Port(Protocol):
    """A place of a host's in a multicast group."""

    def hears(self, group: str | None, port: int, *, from_host: Host) -> bool:
        """Whether this is where a datagram goes; None is no group, but the host alone."""

    def arrive(self, data: bytes, sender: bytes) -> None:
        """A datagram has come."""

    def wake(self) -> None:
        """The host goes on."""

    def close(self) -> None:
        """The process is gone."""


@final
class Host(Machine):
    """A machine with its kernel, which listens and holds connections, and its process, which owns contexts.

    Attributes:
      listeners: by port, or by path.
      streams: the ends of connections that the kernel knows, in the order in which they were made.
      ports: places in multicast groups, in the order in which they were joined.
      scopes: the cancel scopes around the contexts that are open.
      contexts: how many contexts there have been.
      forwards: the hosts that ports of this one lead to.
      restarted: set while the process lives; a new event for each crash.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.listeners: dict[int | str, VirtualListener] = {}
        self.streams: dict[VirtualStream, None] = {}
        self.ports: dict[Port, None] = {}
        self.scopes: dict[trio.CancelScope, None] = {}
        self.contexts: int = 0
        self.forwards: dict[int, Host] = {}
        self.restarted: trio.Event = trio.Event()
        self._next_port = _FIRST_PORT

    def new_port(self) -> int:
        """A port that was not given out before; when all were, the next one that nobody listens at."""
        while True:
            port = self._next_port
            self._next_port = port + 1 if port < _LAST_PORT else _FIRST_PORT
            if port not in self.listeners and port not in self.forwards:
                return port

    def resume(self) -> None:
        """Let the process go on, and look at what has arrived."""
        super().resume()
        for listener in list(self.listeners.values()):
            listener.wake()
        for stream in list(self.streams):
            stream.wake()
        for port in list(self.ports):
            port.wake()

    def crash(self, how: Literal["power", "process"]) -> None:
        """Let the process die, and with ``"power"`` the kernel too. Contexts are cancelled."""
        self.end_process()
        self.restarted = trio.Event()
        for port in list(self.ports):
            port.close()
        if how == "power":
            self._lose_power()
        else:
            for listener in list(self.listeners.values()):
                listener.close()
            for stream in list(self.streams):
                stream.close()
        for scope in list(self.scopes):
            scope.cancel(reason=f"triomq: host {self.name} crashed")
        self.scopes.clear()

    def _lose_power(self) -> None:
        self.end_kernel()
        self.listeners.clear()
        for stream in self.streams:
            stream.vanish()
        self.streams.clear()

    def restart(self) -> None:
        """Let kernel and process live again."""
        self.begin()
        self.restarted.set()
