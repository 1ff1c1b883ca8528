"""The carrier of byte streams: a transport makes the streams, sessions speak a protocol on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import trio

from .. import zmtp
from .._transports import NonblockingStream, Transport
from ._acceptor import Acceptor
from ._carrier import Carrier, PeerHost
from ._dialer import Dialer
from ._session import Session

NewProtocol: TypeAlias = Callable[[PeerHost, bool], zmtp.WireProtocol]
"""Makes the protocol state of a new connection of a socket; the second argument says whether this side accepted it."""


def new_zmtp(host: PeerHost, as_server: bool) -> zmtp.WireProtocol:
    """ZMTP 3.1, as `NewProtocol`: the accepting side has the server's role in the handshake."""
    options = host.options
    return zmtp.Connection(
        host.socket_type,
        as_server=as_server,
        routing_id=host.routing_id,
        max_message_size=options.max_message_size,
        max_frames=options.max_frames,
    )


class StreamCarrier(Carrier):
    """Carries by the streams of one transport.

    Args:
      transport: makes the streams.
      new_protocol: makes the protocol state of each connection; ZMTP 3.1 unless something else is given.
    """

    def __init__(self, transport: Transport, new_protocol: NewProtocol = new_zmtp) -> None:
        self._transport = transport
        self._new_protocol = new_protocol

    async def bind(self, host: PeerHost, endpoint: str, address: str) -> Acceptor:
        """See `Carrier`."""
        listener = await self._transport.listen(address, host.options)
        if host.closing:
            await trio.aclose_forcefully(listener)
            raise trio.ClosedResourceError(f"{host.socket_type}.bind: this socket was closed meanwhile")
        endpoint = listener.endpoint

        def new_session(stream: NonblockingStream) -> Session:
            return Session(stream, self._new_protocol(host, True), host, endpoint)

        return Acceptor(listener, host, new_session)

    def connect(self, host: PeerHost, endpoint: str, address: str) -> Dialer:
        """See `Carrier`."""
        self._transport.check_connect(address)
        return Dialer(self._transport, host, endpoint, address, self._new_protocol)
