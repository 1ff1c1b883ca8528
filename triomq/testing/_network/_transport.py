"""tcp and ipc of a virtual host: endpoints as with the real ones, over the virtual network."""

from __future__ import annotations

import errno
import socket
from typing import final

import trio

from ..._errors import AddressInUseError
from ..._options import Options
from ..._transports import Host as HostText
from ..._transports import IpcTransport, TcpTransport, parse_bind, parse_connect
from ...abc import Transport
from ._attempt import Attempt, os_error
from ._fabric import Fabric
from ._host import Host
from ._listener import VirtualListener
from ._stream import VirtualStream


class _VirtualTransport(Transport):
    """What the two share: each belongs to one host."""

    def __init__(self, fabric: Fabric, host: Host) -> None:
        self._fabric = fabric
        self._host = host

    def _check_alive(self, what: str) -> None:
        if not self._host.running:
            raise os_error(errno.ENETDOWN, f"{what}: host {self._host.name!r} has crashed")

    def _listen(self, key: int | str, endpoint: str, options: Options, *, loopback: bool) -> VirtualListener:
        self._check_alive(f"cannot bind {endpoint}")
        if key in self._host.listeners:
            text = f"cannot bind {endpoint}: another socket of host {self._host.name!r} has it; bind another"
            raise AddressInUseError(errno.EADDRINUSE, text)
        if isinstance(key, int) and (target := self._host.forwards.get(key)):
            text = f"cannot bind {endpoint}: forward() lets this port lead to {target.name!r}; bind another"
            raise AddressInUseError(errno.EADDRINUSE, text)
        return VirtualListener(
            self._fabric.world, self._host, self._host.listeners, key, endpoint, options, loopback=loopback
        )


@final
class VirtualTcp(_VirtualTransport):
    """``tcp://`` of a virtual host.

    Names are those of virtual hosts. To connect to ``localhost``, ``127.0.0.1``, ``0.0.0.0``, ``::1`` or ``::`` is to
    connect to the host itself, or to where `VirtualNetwork.forward` leads. A listener that is bound to a loopback
    address can only be reached from its own host. One that is bound to ``*``, ``0.0.0.0``, ``::`` or the host's name
    reports that name, so that everybody can connect to it; the real tcp has no name to report, and that is the only
    difference. A source before ``;`` is ignored.
    """

    def check_connect(self, address: str) -> None:
        """Refuse what could never be connected to; see `Transport.check_connect`."""
        TcpTransport().check_connect(address)

    async def connect(self, address: str, options: Options) -> VirtualStream:
        """Make one attempt to connect; see `Transport.connect`.

        Raises:
          EndpointError: the address is malformed.
          OSError: there is no such host, nobody listens there, or nobody answers for 127 s.
        """
        parsed = parse_connect(address)
        await trio.lowlevel.checkpoint()
        what = f"cannot connect to tcp://{address}"
        self._check_alive(what)
        try:
            target = self._resolve(parsed.host, what)
        except OSError as exc:  # not final for triomq, which tries again: the name may come to be known
            self._fabric.world.recorder.record("no such host", self._host.name, text=str(exc.strerror))
            raise
        beyond = self._host.forwards.get(parsed.port) if target is self._host else None
        target = beyond or target
        own = f"tcp://{self._host.name}:{self._host.new_port()}"
        peer = f"tcp://{target.name}:{parsed.port}"
        attempt = Attempt(
            self._fabric, self._host, target, parsed.port, peer, own, options, from_inside=target is beyond
        )
        return await attempt.run()

    async def listen(self, address: str, options: Options) -> VirtualListener:
        """Bind and listen; see `Transport.listen`.

        Raises:
          EndpointError: the address is malformed.
          AddressInUseError: another socket of the host listens there.
          OSError: the address is not the host's.
        """
        parsed = parse_bind(address)
        await trio.lowlevel.checkpoint()
        what = f"cannot bind tcp://{address}"
        loopback = _is_loopback(parsed.host)
        if parsed.host.kind != "any" and self._resolve(parsed.host, what) is not self._host:
            raise os_error(errno.EADDRNOTAVAIL, what)
        port = parsed.port or self._host.new_port()
        text = parsed.host.text if loopback else self._host.name
        endpoint = f"tcp://[{text}]:{port}" if ":" in text else f"tcp://{text}:{port}"
        return self._listen(port, endpoint, options, loopback=loopback)

    def _resolve(self, host: HostText, what: str) -> Host:
        if _is_loopback(host) or host.text in ("0.0.0.0", "::"):
            return self._host
        if host.kind in ("ipv4", "ipv6"):
            raise os_error(errno.ENETUNREACH, f"{what}: virtual hosts have names, no numbers")
        found = self._fabric.hosts.get(host.text.removesuffix("."))
        if found is None:
            known = ", ".join(self._fabric.hosts)
            raise socket.gaierror(socket.EAI_NONAME, f"{what}: no virtual host has that name; there are {known}")
        return found


def _is_loopback(host: HostText) -> bool:
    return host.text in ("localhost", "::1") or (host.kind == "ipv4" and host.text.startswith("127."))


@final
class VirtualIpc(_VirtualTransport):
    """``ipc://`` of a virtual host: paths are the host's own, and no file is made."""

    def check_connect(self, address: str) -> None:
        """Refuse what could never be connected to; see `Transport.check_connect`."""
        IpcTransport().check_connect(address)

    async def connect(self, address: str, options: Options) -> VirtualStream:
        """Make one attempt to connect; see `Transport.connect`.

        Raises:
          EndpointError: the address is malformed.
          OSError: nobody on this host has bound the path (ENOENT), or its owner is too busy to accept (EAGAIN).
        """
        self.check_connect(address)
        await trio.lowlevel.checkpoint()
        endpoint = f"ipc://{address}"
        what = f"cannot connect to {endpoint}"
        self._check_alive(what)
        listener = self._host.listeners.get(address)
        if listener is None:
            raise os_error(errno.ENOENT, what)
        if listener.is_full:
            raise os_error(errno.EAGAIN, what)
        return await Attempt(self._fabric, self._host, self._host, address, endpoint, endpoint, options).run()

    async def listen(self, address: str, options: Options) -> VirtualListener:
        """Bind and listen; see `Transport.listen`.

        Raises:
          EndpointError: the address is malformed.
          AddressInUseError: another socket of the host has the path.
        """
        if address == "*":
            address = f"/virtual/{self._host.name}/{self._host.new_port()}"
        self.check_connect(address)
        await trio.lowlevel.checkpoint()
        return self._listen(address, f"ipc://{address}", options, loopback=True)
