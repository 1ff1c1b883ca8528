"""The carrier of groups: to bind and to connect are the same, as nobody is there to accept anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from ..._errors import EndpointError
from ..._transports import GroupNetwork, parse_group
from .._carrier import Binding, Carrier, Connecting, PeerHost
from ._listener import Listener
from ._speaker import Speaker

if TYPE_CHECKING:
    from ...pgm import Tsi


class MulticastCarrier(Carrier):
    """Carries PUB, XPUB, SUB and XSUB over PGM.

    Args:
      scheme: of the endpoints.
      network: where the groups are.

    Attributes:
      speakers: the senders of this context. What a receiver asks one of them for may arrive at the port of another one.
    """

    def __init__(self, scheme: str, network: GroupNetwork) -> None:
        self.network: GroupNetwork = network
        self.speakers: dict[Tsi, Speaker] = {}
        self._scheme = scheme

    async def bind(self, host: PeerHost, endpoint: str, address: str) -> Binding:
        """Join a group; see `Carrier`."""
        await trio.lowlevel.checkpoint()
        if host.closing:
            raise trio.ClosedResourceError(f"the socket was closed while it joined {endpoint}")
        return self._join(host, endpoint, address)

    def connect(self, host: PeerHost, endpoint: str, address: str) -> Connecting:
        """Join a group; see `Carrier`."""
        return self._join(host, endpoint, address)

    def _join(self, host: PeerHost, endpoint: str, address: str) -> Speaker | Listener:
        speaks = host.socket_type in ("PUB", "XPUB")
        if not speaks and host.socket_type not in ("SUB", "XSUB"):
            raise EndpointError(
                f"{endpoint}: a multicast group is for PUB, XPUB, SUB and XSUB, not for {host.socket_type}; "
                "use tcp://, ipc:// or inproc://"
            )
        if host.options.mechanism is not None:
            raise EndpointError(
                f"{endpoint}: PGM has no handshake, so mechanism= can secure nothing here; use tcp:// or ipc://, or a "
                "socket without a mechanism"
            )
        parsed = parse_group(self._scheme, address)
        if host.options.multicast_max_tpdu < 128 + 20 * (":" in parsed.group):
            raise EndpointError(f"{endpoint}: with IPv6, multicast_max_tpdu is 148 or more")
        try:
            port = self.network.join(parsed, host.options, sends=speaks)
        except OSError as exc:
            raise type(exc)(exc.errno, f"cannot join {endpoint}: {exc.strerror or exc}") from exc
        try:
            if speaks:
                return Speaker(self, host, endpoint, parsed, port)
            return Listener(host, endpoint, parsed, port)
        except BaseException:
            port.close()
            raise
