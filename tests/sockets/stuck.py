"""A peer that shakes hands and then does as it is told: reads nothing, reads some, goes away."""

from __future__ import annotations

from random import Random
from types import TracebackType
from typing import Self

import trio

from triomq import zmtp
from triomq.abc import Security
from triomq.testing import VirtualNetwork, VirtualStream

from ..virtual import dial, listen

TOO_MUCH = 2_000_000  # octets: more than a connection takes from us when the peer does not read


class StuckPeer:
    """Listens on the network's localhost, and is one peer."""

    def __init__(self, net: VirtualNetwork, socket_type: str, security: Security | None = None) -> None:
        self._net = net
        self._type = socket_type
        self._security = security
        self._stream: VirtualStream | None = None

    async def __aenter__(self) -> Self:
        self._listener = await listen(self._net)
        self.endpoint = self._listener.endpoint
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self.leave()

    async def greet(self) -> None:
        """Accept somebody, and read no more than the handshake takes."""
        self._stream = await self._listener.accept()
        await self._shake_hands(as_server=True)

    async def dial(self, endpoint: str) -> None:
        """Connect to somebody, and read no more than the handshake takes."""
        self._stream = await dial(self._net, endpoint)
        await self._shake_hands(as_server=False)

    async def _shake_hands(self, *, as_server: bool) -> None:
        assert self._stream is not None
        mechanism = None
        if self._security is not None:
            mechanism = self._security.new_mechanism(as_server=as_server, asks=False, random_bytes=Random(9).randbytes)
        connection = self._connection = zmtp.Connection(self._type, as_server=as_server, mechanism=mechanism)
        while not connection.established:
            await self._stream.send_all(connection.data_to_send())
            connection.receive_data(await self._stream.receive_some(1000), 1)
        await self._stream.send_all(connection.data_to_send())

    async def read(self, octets: int) -> None:
        """Take in so much, or somewhat more."""
        assert self._stream is not None
        while octets > 0:
            octets -= len(await self._stream.receive_some(octets))

    async def say(self, item: zmtp.Item) -> None:
        """Send a message or a heartbeat."""
        assert self._stream is not None
        octets: list[bytes] = []
        self._connection.encode([item], octets)
        await self._stream.send_all(b"".join(octets))

    async def leave(self) -> None:
        """Close everything; the endpoint is free for another."""
        await self._listener.aclose()
        if self._stream is not None:
            await trio.aclose_forcefully(self._stream)
