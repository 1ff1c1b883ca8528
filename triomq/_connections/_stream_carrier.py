"""The carrier of byte streams: a transport makes the streams, sessions speak a protocol on them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Self, TypeAlias

import trio

from .._errors import UnsupportedTransportError
from .._transports import Transport
from ..zmtp import Connection, Mechanism, Null, WireProtocol
from ._acceptor import Acceptor
from ._carrier import Carrier, PeerHost
from ._dialer import Dialer

NewProtocol: TypeAlias = Callable[[PeerHost, bool], WireProtocol]
"""Makes the protocol state of a new connection of a socket; the second argument says whether this side accepted it."""


def new_zmtp(host: PeerHost, as_server: bool) -> WireProtocol:
    """ZMTP 3.1, as `NewProtocol`, with the mechanism of the socket."""
    options, security, asks = host.options, host.options.mechanism, host.gate.asks
    if security is None:
        mechanism: Mechanism = Null(asks=asks and as_server)
    else:
        as_server = as_server if security.as_server is None else security.as_server
        random_bytes = host.runtime.random_bytes
        mechanism = security.new_mechanism(as_server=as_server, asks=asks, random_bytes=random_bytes)
    connection = Connection(
        host.socket_type,
        as_server=as_server,
        mechanism=mechanism,
        routing_id=host.routing_id,
        max_message_size=options.max_message_size,
        max_frames=options.max_frames,
    )
    if security is not None:
        connection.greet_in_pieces()
    return connection


class StreamCarrier(Carrier):
    """Carries by the streams of one transport.

    Args:
      transport: makes the streams: a `Transport`, or the scheme of one that the context has, such as ``"tcp"``.
      new_protocol: makes the protocol state of each connection; ZMTP 3.1 unless something else is given.
    """

    def __init__(self, transport: Transport | str, new_protocol: NewProtocol = new_zmtp) -> None:
        self._given: Transport | str = transport
        self._new_protocol = new_protocol

    def over(self, transports: Mapping[str, object]) -> Self:
        """This carrier; or, if its transport was given by the scheme, one like it that has looked the transport up.

        Args:
          transports: of a context, by scheme. What is no `Transport`, such as a carrier, does not count.
        Raises:
          UnsupportedTransportError: none of them has the scheme.
        """
        if isinstance(self._given, Transport):
            return self
        found = transports.get(self._given)
        if not isinstance(found, Transport):
            known = ", ".join(sorted(scheme for scheme, one in transports.items() if isinstance(one, Transport)))
            raise UnsupportedTransportError(
                f"StreamCarrier({self._given!r}): this context has no transport of that scheme; there are {known}"
            )
        carrier = copy.copy(self)
        carrier._given = found
        return carrier

    @property
    def _transport(self) -> Transport:
        assert isinstance(self._given, Transport), "the context has looked it up"
        return self._given

    async def bind(self, host: PeerHost, endpoint: str, address: str) -> Acceptor:
        """See `Carrier`."""
        listener = await self._transport.listen(address, host.options)
        if host.closing:
            await trio.aclose_forcefully(listener)
            raise trio.ClosedResourceError(f"{host.socket_type}.bind: this socket was closed meanwhile")
        # The transport may know itself by another scheme than the one that it carries here.
        endpoint = f"{endpoint.partition('://')[0]}://{listener.endpoint.partition('://')[2]}"
        return Acceptor(listener, endpoint, host, self._new_protocol)

    def connect(self, host: PeerHost, endpoint: str, address: str) -> Dialer:
        """See `Carrier`."""
        return self.dial(host, endpoint, self.fix_address(address))

    def fix_address(self, address: str) -> str:
        """What the address stands for at this moment.

        Raises:
          EndpointError: nobody could ever connect to it.
        """
        self._transport.check_connect(address)
        return self._transport.fix_address(address)

    def dial(self, host: PeerHost, endpoint: str, address: str) -> Dialer:
        """As `connect`, to an address that `fix_address` has returned."""
        return Dialer(self._transport, host, endpoint, address, self._new_protocol)
