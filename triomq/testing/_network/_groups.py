"""Multicast groups of virtual hosts: datagrams that are lost, doubled, delayed, and overtake each other."""

from __future__ import annotations

import errno
import ipaddress
from collections import deque
from random import Random
from typing import Final, final

import trio

from ..._options import Options
from ...abc import GroupAddress, GroupNetwork, GroupPort
from ._attempt import os_error
from ._fabric import Fabric
from ._host import Host

_OVERHEAD: Final = 28  # bytes of the headers of IPv4 and UDP


@final
class VirtualGroups(GroupNetwork):
    """The groups that one virtual host can join.

    Every host has one interface, whatever an endpoint calls it; only with a loopback address nothing leaves the host.
    """

    def __init__(self, fabric: Fabric, host: Host) -> None:
        self._fabric = fabric
        self._host = host

    def join(self, address: GroupAddress, options: Options, *, sends: bool) -> GroupPort:
        """See `GroupNetwork`."""
        if not self._host.running:
            raise os_error(errno.ENETDOWN, f"host {self._host.name!r} has crashed")
        return _VirtualPort(self._fabric, self._host, address, options, sends=sends)

    def new_name(self, rng: Random) -> bytes:
        """See `GroupNetwork`."""
        return self._fabric.world.dice("sender", self._host.name, self._fabric.next_sender()).randbytes(8)


@final
class _VirtualPort(GroupPort):
    def __init__(self, fabric: Fabric, host: Host, address: GroupAddress, options: Options, *, sends: bool) -> None:
        self.path = fabric.address(host)
        self.encapsulation = _OVERHEAD
        self._fabric = fabric
        self._host = host
        self._address = address
        self._heard = None if sends else address.group  # None: what is for this host alone
        self._loops = options.multicast_loop
        self._stays = _is_loopback(address.interface)
        self._buffer = options.receive_buffer
        self._arrived: deque[tuple[bytes, bytes]] = deque()
        self._size = 0
        self._closed = False
        self._readers = trio.lowlevel.ParkingLot()
        host.ports[self] = None

    # --- out --------------------------------------------------------------------------------

    def send_nowait(self, data: bytes, to: bytes | None, *, near: bool = False) -> bool:
        """See `GroupPort`. A host that stands still sends when it goes on."""
        if not self._host.running:
            raise os_error(errno.ENETDOWN, f"host {self._host.name!r} has crashed")
        self._host.when_running(lambda: self._send(data, to))
        return True

    def _send(self, data: bytes, to: bytes | None) -> None:
        fabric = self._fabric
        for host in list(fabric.hosts.values()):
            if self._stays and host is not self._host:
                continue
            if to is None:
                if host is self._host and not self._loops:
                    continue
            elif fabric.address(host) != to:
                continue
            self._fly(host, data, self._address.group if to is None else None)

    def _fly(self, host: Host, data: bytes, group: str | None) -> None:
        """One datagram to one host."""
        path = self._fabric.path(self._host.name, host.name)
        settings = path.settings
        dice = self._fabric.datagram_dice(self._host.name, host.name)
        for _ in range(2 if settings.duplication and dice.random() < settings.duplication else 1):
            left = path.pass_datagram(len(data) + _OVERHEAD)
            if left is None:
                self._note(
                    f"a datagram of {len(data)} bytes is lost: the link from {path.source} to {path.target} is full"
                )
                continue
            at = trio.current_time() + left + settings.latency + dice.uniform(0, settings.jitter)
            lost = dice.random() < settings.loss
            self._fabric.world.agenda.plan(at, self._land, host, data, group, lost, dice)

    def _land(self, host: Host, data: bytes, group: str | None, lost: bool, dice: Random) -> None:
        there = [port for port in host.ports if port.hears(group, self._address.port, from_host=self._host)]
        if not there:
            return
        if lost or not self._fabric.path(self._host.name, host.name).is_open():
            self._note(f"a datagram of {len(data)} bytes is lost on its way to {host.name}")
            return
        if group is None:  # the system gives what is for the host to one of those who share the port
            there = [dice.choice(there)]
        for port in there:
            port.arrive(data, self.path)

    def _note(self, text: str) -> None:
        self._fabric.world.recorder.record("note", self._host.name, text=text)

    # --- in ---------------------------------------------------------------------------------

    def hears(self, group: str | None, port: int, *, from_host: Host) -> bool:
        """Whether this is where a datagram goes."""
        if self._stays and from_host is not self._host:
            return False
        return self._heard == group and self._address.port == port

    def arrive(self, data: bytes, sender: bytes) -> None:
        """A datagram has come."""
        room = self._buffer or self._fabric.path(self._host.name, self._host.name).settings.receive_buffer
        if self._size + len(data) > room:
            self._note(f"a datagram of {len(data)} bytes is lost: the buffer of {self._host.name} is full")
            return
        self._size += len(data)
        self._arrived.append((data, sender))
        self.wake()

    def wake(self) -> None:
        """Let the reader look, unless its host stands still."""
        if self._arrived and not self._host.paused:
            self._readers.unpark_all()

    def receive_nowait(self) -> tuple[bytes, bytes] | None:
        """See `GroupPort`."""
        if not self._arrived or self._host.paused:
            return None
        arrived = self._arrived.popleft()
        self._size -= len(arrived[0])
        return arrived

    async def wait_readable(self) -> None:
        """See `GroupPort`."""
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._closed and (not self._arrived or self._host.paused):
            await self._readers.park()
        if self._closed:
            raise trio.ClosedResourceError("the place in the group was given up")
        await trio.lowlevel.cancel_shielded_checkpoint()

    def close(self) -> None:
        """See `GroupPort`."""
        self._closed = True
        self._host.ports.pop(self, None)
        self._readers.unpark_all()


def _is_loopback(interface: str) -> bool:
    try:
        return ipaddress.ip_address(interface).is_loopback
    except ValueError:
        return interface in ("lo", "localhost")
