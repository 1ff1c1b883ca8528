"""What there is: hosts, the paths between them, what separates them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, final

import attrs
import trio

from ..._errors import EndpointError
from ..._transports import parse_connect
from .._recorder import Recorder
from ._agenda import Agenda
from ._settings import LinkSettings

if TYPE_CHECKING:
    from ._link import Link
    from ._listener import VirtualListener
    from ._stream import VirtualStream

_FIRST_PORT = 49152  # of those that nobody chose (RFC 6335 §6)


@final
class Host:
    """A machine: a kernel, which listens and holds connections, and a process, which owns contexts.

    Attributes:
      up: the kernel is alive.
      running: the process is alive.
      paused: the process is stopped; the kernel is not.
      boots: how many times the kernel has died.
      listeners: by port, or path.
      streams: the ends of connections that the kernel still knows, in the order they were made.
      scopes: around each context.
      contexts: how many there have been.
    """

    def __init__(self, name: str) -> None:
        self.name: str = name
        self.up: bool = True
        self.running: bool = True
        self.paused: bool = False
        self.boots: int = 0
        self.listeners: dict[int | str, VirtualListener] = {}
        self.streams: dict[VirtualStream, None] = {}
        self.scopes: dict[trio.CancelScope, None] = {}
        self.contexts: int = 0
        self.restarted: trio.Event = trio.Event()
        self._next_port = _FIRST_PORT
        self._deferred: list[Callable[[], None]] = []

    def new_port(self) -> int:
        """A port nobody has had; after 16,384 of them they come again, where nobody listens."""
        while True:
            port = self._next_port
            self._next_port = port + 1 if port < 65535 else _FIRST_PORT
            if port not in self.listeners:
                return port

    def when_running(self, action: Callable[[], None]) -> None:
        """Call ``action`` now or, if the process is paused, when it goes on. A dead process does nothing."""
        if self.paused:
            self._deferred.append(action)
        else:
            action()

    def resume(self) -> None:
        """Let the process go on."""
        self.paused = False
        deferred, self._deferred = self._deferred, []
        for action in deferred:
            action()
        for listener in list(self.listeners.values()):
            listener.wake()
        for stream in list(self.streams):
            stream.wake()

    def forget(self) -> None:
        """The process is dead: what it still had to do it will not do."""
        self.running = self.paused = False
        self._deferred.clear()


@final
class Path:
    """What all that travels from one host to another shares: settings and, if it has a bound, bandwidth."""

    __slots__ = ("_fabric", "_free_at", "_planned", "_waiting", "settings", "source", "target")

    def __init__(self, fabric: Fabric, source: str, target: str, settings: LinkSettings) -> None:
        self.source: str = source
        self.target: str = target
        self.settings: LinkSettings = settings
        self._fabric = fabric
        self._free_at = 0.0
        self._planned = False
        self._waiting: deque[Link] = deque()

    def is_open(self) -> bool:
        """Whether what arrives now arrives at all."""
        return self._fabric.reachable(self.source, self.target)

    def ask(self, link: Link) -> None:
        """Let a link send what it has, a segment at each of its turns."""
        if link not in self._waiting and link.ready():
            self._waiting.append(link)
            if not self._planned:
                self._serve()

    def _serve(self) -> None:
        self._planned = True  # or a link that is told of room meanwhile would come in here again
        now = trio.current_time()
        while self._waiting and self._free_at <= now:
            link = self._waiting.popleft()
            if link.ready():
                self._free_at = now + link.transmit() / self.settings.bandwidth
                if link.ready():
                    self._waiting.append(link)
        self._planned = bool(self._waiting)
        if self._waiting:
            self._fabric.agenda.plan(self._free_at, self._serve)


@final
@attrs.frozen(eq=False)
class Partition:
    """Groups of hosts that cannot reach each other; made by `VirtualNetwork.partition`.

    Attributes:
      groups: the names of the hosts; a host in no group reaches all, unless there is only one group.
    """

    groups: tuple[frozenset[str], ...]

    def separates(self, one: str, other: str) -> bool:
        """Whether it lies between two hosts."""
        if len(self.groups) == 1:
            return (one in self.groups[0]) != (other in self.groups[0])
        mine = [group for group in self.groups if one in group]
        theirs = [group for group in self.groups if other in group]
        return bool(mine and theirs) and mine[0] is not theirs[0]

    def __str__(self) -> str:
        return " | ".join(" ".join(sorted(group)) for group in self.groups)


def _check_name(name: str) -> None:
    try:
        fits = ";" not in name and parse_connect(f"{name}:1").host.kind == "name"
    except EndpointError:
        fits = False
    if not fits:
        raise ValueError(
            f"{name!r} cannot be a host's name, as nobody could connect to tcp://{name}:1; "
            "take letters, digits, '-' and '.'"
        )


@final
class Fabric:
    """Everything of a network that its streams and transports need.

    Attributes:
      seed: what every chance is drawn from.
      agenda: what will happen.
      recorder: what has happened.
      hosts: by name, in the order they were first mentioned.
      partitions: those in force.
    """

    def __init__(self, seed: int, defaults: LinkSettings, recorder: Recorder) -> None:
        self.seed: int = seed
        self.agenda: Agenda = Agenda()
        self.recorder: Recorder = recorder
        self.hosts: dict[str, Host] = {}
        self.partitions: list[Partition] = []
        self._defaults = defaults
        self._paths: dict[tuple[str, str], Path] = {}
        self._connections = 0

    def host(self, name: str) -> Host:
        """The host of a name, made if nobody has mentioned it yet.

        Raises:
          TypeError: the name is no text.
          ValueError: nothing could connect to it by that name.
        """
        if not isinstance(name, str):
            raise TypeError(f"a host's name is a str, not {name!r}")
        host = self.hosts.get(name)
        if host is None:
            _check_name(name)
            host = self.hosts[name] = Host(name)
        return host

    def known_host(self, name: str) -> Host:
        """The host of a name.

        Raises:
          ValueError: nobody has mentioned it yet.
        """
        if name not in self.hosts:
            known = ", ".join(self.hosts) or "none"
            raise ValueError(
                f"there is no host {name!r} on this network yet (there is {known}): a host comes into being when "
                "open_context() or run_on() opens a context on it, or link() or partition() names it"
            )
        return self.hosts[name]

    def path(self, source: str, target: str) -> Path:
        """The way from one host to another. Inside a host there is no latency, no loss and no bound on bandwidth."""
        path = self._paths.get((source, target))
        if path is None:
            settings = self._defaults
            if source == target:
                settings = attrs.evolve(settings, latency=0.0, jitter=0.0, bandwidth=float("inf"), loss=0.0)
            path = self._paths[source, target] = Path(self, source, target, settings)
        return path

    def reachable(self, source: str, target: str) -> bool:
        """Whether what one host sends arrives at the other's kernel."""
        if not (self.hosts[source].up and self.hosts[target].up):
            return False
        return not any(partition.separates(source, target) for partition in self.partitions)

    def next_connection(self) -> int:
        """A number for a new connection."""
        self._connections += 1
        return self._connections

    def streams(self, groups: Iterable[tuple[str, str]]) -> list[VirtualStream]:
        """The ends, on both sides, of the connections between pairs of hosts, in the order they were made."""
        pairs = {pair for one, other in groups for pair in ((one, other), (other, one))}
        ends = [stream for host in self.hosts.values() for stream in host.streams]
        return [stream for stream in ends if (stream.host.name, stream.remote_host) in pairs]
