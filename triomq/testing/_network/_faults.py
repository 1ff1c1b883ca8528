"""What can go wrong with a network: links, partitions, cuts, crashes, pauses."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Literal, Unpack

import attrs

from .._recorder import Recorder
from ._fabric import Fabric
from ._partition import Partition
from ._settings import LinkArguments
from ._watch import Watch


class Faults:
    """The faults of a `VirtualNetwork`.

    Attributes:
      recorder: everything that happens on the network.
    """

    def __init__(self, fabric: Fabric) -> None:
        self.recorder: Recorder = fabric.world.recorder
        self._fabric = fabric
        self._watch = Watch(self.recorder)

    def link(self, one: str, other: str, *, both_ways: bool = True, **settings: Unpack[LinkArguments]) -> None:
        """Change the link between two hosts; what is not named stays as it is.

        Args:
          both_ways: also from ``other`` to ``one``.
          settings: see `LinkSettings`.
        """
        for source, target in [(one, other), (other, one)][: 1 + both_ways]:
            self._fabric.host(source)
            self._fabric.host(target)
            path = self._fabric.path(source, target)
            path.settings = attrs.evolve(path.settings, **settings)
            words = ", ".join(f"{name}={value}" for name, value in settings.items())
            self.recorder.record("link", source, target, text=words)

    def forward(self, host: str, port: int, target: str) -> None:
        """Let a port of a host lead to the same port of another, as an SSH tunnel does.

        So programs as they are, which meet at ``tcp://127.0.0.1:5555``, can run on hosts of their own: what connects to
        the port of ``host`` on ``host`` itself reaches ``target``, where it counts as from inside. Nobody can bind the
        port of ``host``.

        Args:
          port: from 1 to 65535.
        Raises:
          ValueError: the port is out of range or bound, or both hosts are one.
        """
        here, there = self._fabric.host(host), self._fabric.host(target)
        if not isinstance(port, int) or not 0 < port < 65536:
            raise ValueError(f"forward(): port={port!r} is no port; it is a number from 1 to 65535")
        if here is there:
            raise ValueError(f"forward(): port {port} of host {host!r} would lead to itself")
        if port in here.listeners:
            raise ValueError(f"forward(): a socket of host {host!r} has bound port {port}")
        here.forwards[port] = there
        self.recorder.record("note", host, text=f"port {port} leads to {target}")

    def partition(self, *groups: Iterable[str] | str, both_ways: bool = True) -> Partition:
        """Separate groups of hosts: nothing that is sent from one to another arrives, until `heal`.

        Connections stay, and TCP sends again: what was sent meanwhile arrives after healing, some time later, unless
        the link's ``give_up`` has passed. One group alone is separated from all other hosts.

        Args:
          groups: names of hosts; one name is a group of one.
          both_ways: if False, only what the first group sends to the others is lost. What they send arrives; but the
            first group's acknowledgements are lost, so that TCP takes it for lost.
        Returns: the partition, for `heal`.
        Raises:
          ValueError: a host is in two groups.
        """
        if not groups:
            raise TypeError("partition() takes groups of hosts, such as partition({'a', 'b'}, {'c'})")
        lists = [_in_order(group) for group in groups]
        names = [name for group in lists for name in group]
        for name in names:
            self._fabric.host(name)
            if names.count(name) > 1:
                raise ValueError(f"partition(): host {name!r} is in two groups; it can be on one side only")
        made = Partition(tuple(map(frozenset, lists)), both_ways)
        self._fabric.partitions.append(made)
        self.recorder.record("partition", text=str(made))
        return made

    def heal(self, partition: Partition | None = None) -> None:
        """Take back a partition, or all of them. To take one back twice changes nothing.

        Raises:
          TypeError: it is not what `partition` returned.
        """
        if not isinstance(partition, Partition | None):
            raise TypeError(f"heal({partition!r}): it takes what partition() returned, or nothing, which heals all")
        gone = [partition] if partition is not None else list(self._fabric.partitions)
        for one in gone:
            if one in self._fabric.partitions:
                self._fabric.partitions.remove(one)
                self.recorder.record("heal", text=str(one))

    def cut(self, one: str, other: str, how: Literal["reset", "black hole"] = "reset") -> int:
        """Cut the present connections between two hosts; new ones can be made.

        Args:
          how: ``"reset"``: both ends learn it at once, as from a firewall that resets. ``"black hole"``: neither end
            learns it until it gives up sending again, as with a router that has forgotten the connection.
        Returns: how many ends of connections were cut.
        Raises:
          ValueError: there is no host of one of the names.
        """
        if how not in ("reset", "black hole"):
            raise ValueError(f"how={how!r}: it is 'reset' or 'black hole'")
        streams = self._fabric.streams_between(one, other)
        self.recorder.record("cut", one, other, text=how)
        for stream in streams:
            if how == "reset":
                stream.fall("reset delivered", "the network reset the connection")
            else:
                stream.enter_black_hole()
        return len(streams)

    def crash(self, host: str, how: Literal["power", "process"] = "power") -> None:
        """Let a host die: its contexts are cancelled, and `open_context` is refused until `restart`.

        Args:
          how: ``"power"``: the machine is gone and peers hear nothing, until they send after its restart and are
            reset, or give up. ``"process"``: its kernel lives, ends its connections, and refuses new ones.
        Raises:
          ValueError: there is no host of that name.
        """
        if how not in ("power", "process"):
            raise ValueError(f"how={how!r}: it is 'power' or 'process'")
        machine = self._fabric.known_host(host)
        if not machine.running:
            return
        self.recorder.record("crash", host, text=how)
        self._watch.crash(host)
        machine.crash(how)

    def restart(self, host: str) -> None:
        """Let a crashed host live again. What `run_on`, `run_program` or `running` has there begins again.

        Raises: as `crash`.
        """
        machine = self._fabric.known_host(host)
        if machine.running:
            return
        self.recorder.record("restart", host)
        machine.restart()

    def pause(self, host: str) -> None:
        """Stop a host's process, as SIGSTOP does: its kernel still takes in what arrives, until its buffers are full.

        Its streams take and give nothing. Tasks of the host that wait for time and not for streams go on: what they
        send waits in triomq.

        Raises: as `crash`.
        """
        machine = self._fabric.known_host(host)
        if machine.running and not machine.paused:
            self.recorder.record("pause", host)
            machine.pause()

    def resume(self, host: str) -> None:
        """Let a paused host go on.

        Raises: as `crash`.
        """
        machine = self._fabric.known_host(host)
        if machine.paused:
            self.recorder.record("resume", host)
            machine.resume()


def _in_order(group: Iterable[str] | str) -> list[str]:
    """The names of a group, each once, in an order that is the same in every run."""
    if isinstance(group, str):
        return [group]
    return sorted(group, key=str) if isinstance(group, AbstractSet) else list(dict.fromkeys(group))
