"""Where a peer comes from: its IP address, or its process; and the lists of those that are allowed."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from typing import TypeAlias

import attrs

from .._record import Record

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_WANTED = "an IP address or network, such as '192.0.2.0/24', or for ipc 'uid:1000' or 'gid:100'"


@attrs.frozen(eq=False, repr=False)
class PeerProcess(Record):
    """The process at the other end of a connection that stays on this machine, as the kernel knows it.

    Nobody can pretend to be another one. The process may have ended since, and its number may be another's by now; user
    and group are those that it had when it connected, or began to listen.

    Attributes:
      pid: its number; 0 if it is in another namespace, such as another container.
      uid: of its user.
      gid: of its group.
    """

    pid: int
    uid: int
    gid: int


def own_process() -> PeerProcess | None:
    """This process; None where processes have no user."""
    return PeerProcess(os.getpid(), os.getuid(), os.getgid()) if hasattr(os, "getuid") else None


def ip_of(address: str) -> IpAddress | None:
    """The IP address in an address such as ``"tcp://192.0.2.7:50312"``; None if there is none.

    An IPv4 address that a socket for both versions shows as ``::ffff:192.0.2.7`` is the IPv4 address.
    """
    scheme, _, place = address.partition("://")
    if scheme == "ipc":  # a path may look like anything
        return None
    host = place.rpartition(":")[0].strip("[]").partition("%")[0]
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def _as_ipv4(network: Network) -> Network:
    """IPv4 addresses written as IPv6 are what `ip_of` makes of them; every other network stays as it is."""
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        address = network.network_address.packed[-4:]
        return ipaddress.IPv4Network((address, network.prefixlen - _MAPPED.prefixlen))
    return network


class AllowList:
    """The peers that may come, by where they come from.

    Args:
      entries: each an IP address, a network, ``uid:N`` or ``gid:N``.
    Raises:
      ValueError: one of them is none of these, or there is none.
    """

    __slots__ = ("_entries", "_gids", "_networks", "_uids")

    def __init__(self, entries: Iterable[str]) -> None:
        self._entries = tuple(entries)
        self._networks: list[Network] = []
        self._uids: set[int] = set()
        self._gids: set[int] = set()
        for entry in self._entries:
            self._add(entry)
        if not self._entries:
            raise ValueError(f"nobody could come in; name {_WANTED}")

    def _add(self, entry: object) -> None:
        if not isinstance(entry, str):
            raise ValueError(f"{entry!r} is not {_WANTED}")
        kind, separator, number = entry.partition(":")
        if kind in ("uid", "gid") and separator and number.isascii() and number.isdigit():
            (self._uids if kind == "uid" else self._gids).add(int(number))
            return
        try:
            self._networks.append(_as_ipv4(ipaddress.ip_network(entry)))
        except ValueError as exc:
            raise ValueError(f"{entry!r} is not {_WANTED}: {exc}") from None

    def allows(self, address: str, process: PeerProcess | None) -> bool:
        """Whether a peer may come.

        Args:
          address: of the peer, as the transport tells it.
          process: at the other end, if it is known.
        """
        if process is not None and (process.uid in self._uids or process.gid in self._gids):
            return True
        ip = ip_of(address)
        return ip is not None and any(ip in network for network in self._networks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AllowList) and self._entries == other._entries

    def __hash__(self) -> int:
        return hash(self._entries)

    def __repr__(self) -> str:
        return repr(self._entries)
