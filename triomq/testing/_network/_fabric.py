"""All hosts of a network, the paths between them, and the partitions that separate them."""

from __future__ import annotations

import math
from random import Random
from typing import final

import attrs

from ..._errors import EndpointError
from ..._transports import parse_connect
from ._host import Host
from ._partition import Partition
from ._path import Path
from ._settings import LinkSettings
from ._stream import VirtualStream
from ._world import World


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
    """The hosts of a network and the paths between them.

    Args:
      defaults: the settings of a path until they are changed.

    Attributes:
      world: what everything on the network shares.
      hosts: by name, in the order in which they were first named.
      partitions: those in force.
    """

    def __init__(self, world: World, defaults: LinkSettings) -> None:
        self.world: World = world
        self.hosts: dict[str, Host] = {}
        self.partitions: list[Partition] = []
        self._defaults = defaults
        self._paths: dict[tuple[str, str], Path] = {}
        self._named: dict[str, tuple[int, int]] = {}  # when a host was first named
        self._connections = 0
        self._senders = 0
        self._datagram_dice: dict[tuple[str, str], Random] = {}

    def host(self, name: str) -> Host:
        """The host of a name. A new name makes a new host.

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
            self._named[name] = self.world.turns.now()
        return host

    def in_order(self) -> list[str]:
        """The names of the hosts in the order in which the program names them, which no chance changes.

        Tasks that are ready together name their hosts in an order that the seed governs. So these hosts are ordered as
        the tasks were started.
        """
        return sorted(self.hosts, key=self._named.__getitem__)

    def known_host(self, name: str) -> Host:
        """The host of a name.

        Raises:
          ValueError: nobody has named it yet.
        """
        if name not in self.hosts:
            known = ", ".join(self.hosts) or "none"
            raise ValueError(
                f"there is no host {name!r} on this network yet (there is {known}): a host comes into being when "
                "open_context(), run_on(), run_program(), link(), partition() or the like names it"
            )
        return self.hosts[name]

    def path(self, source: str, target: str) -> Path:
        """The way from one host to another. Inside a host there is no latency, no loss and no bound on bandwidth."""
        path = self._paths.get((source, target))
        if path is None:
            settings = self._defaults
            if source == target:
                settings = attrs.evolve(settings, latency=0.0, jitter=0.0, bandwidth=math.inf, loss=0.0)
            path = self._paths[source, target] = Path(self.world.agenda, source, target, settings, self.reachable)
        return path

    def reachable(self, source: str, target: str) -> bool:
        """Whether what one host sends arrives at the other's kernel."""
        if not (self.hosts[source].up and self.hosts[target].up):
            return False
        return not any(partition.separates(source, target) for partition in self.partitions)

    def address(self, host: Host) -> bytes:
        """The address of a host, 4 bytes: only datagrams need one."""
        number = list(self.hosts).index(host.name) + 1
        return bytes((10, 0, *divmod(number, 256)))

    def datagram_dice(self, source: str, target: str) -> Random:
        """The chance of datagrams on the way from one host to another."""
        dice = self._datagram_dice.get((source, target))
        if dice is None:
            dice = self._datagram_dice[source, target] = self.world.dice("datagrams", source, target)
        return dice

    def next_sender(self) -> int:
        """A number for a new sender to a group."""
        self._senders += 1
        return self._senders

    def next_connection(self) -> int:
        """A number for a new connection."""
        self._connections += 1
        return self._connections

    def streams_between(self, one: str, other: str) -> list[VirtualStream]:
        """The ends, at both hosts, of the connections between them; at each host in the order in which they were made.

        Raises:
          ValueError: nobody has named one of the hosts yet.
        """
        for name in one, other:
            self.known_host(name)
        ends = [stream for host in self.hosts.values() for stream in host.streams]
        return [stream for stream in ends if (stream.host.name, stream.remote_host) in ((one, other), (other, one))]
