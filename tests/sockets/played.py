"""A peer that the test plays: it shakes hands, and then reads, answers and goes away when it is told to."""

from __future__ import annotations

from random import Random
from types import TracebackType
from typing import Self

import trio
import trio.testing

from triomq import Message, zmtp
from triomq.abc import Security
from triomq.testing import VirtualNetwork, VirtualStream

from ..virtual import dial, listen

TOO_MUCH = 2_000_000  # bytes: more than a connection takes from us when the peer does not read


class PlayedPeer:
    """Listens on the network's localhost, and is one peer. It reads nothing, and answers nothing, by itself."""

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

    async def greet(self, minor: int = 1) -> None:
        """Accept somebody, say that this is ZMTP 3 and which, and read no more than the handshake takes."""
        self._stream = await self._listener.accept()
        await self._shake_hands(as_server=True, minor=minor)

    async def dial(self, endpoint: str) -> None:
        """Connect to somebody, and read no more than the handshake takes."""
        self._stream = await dial(self._net, endpoint)
        await self._shake_hands(as_server=False, minor=1)

    async def _shake_hands(self, *, as_server: bool, minor: int) -> None:
        assert self._stream is not None
        mechanism = None
        if self._security is not None:
            mechanism = self._security.new_mechanism(as_server=as_server, asks=False, random_bytes=Random(9).randbytes)
        connection = self._connection = zmtp.Connection(self._type, as_server=as_server, mechanism=mechanism)
        greeting = connection.data_to_send()
        await self._stream.send_all(greeting[:11] + bytes([minor]) + greeting[12:])
        while not connection.established:
            connection.receive_data(await self._stream.receive_some(1000), 1)
            await self._stream.send_all(connection.data_to_send())

    async def read(self, size: int) -> None:
        """Take in so many bytes, or somewhat more."""
        assert self._stream is not None
        while size > 0:
            size -= len(await self._stream.receive_some(size))

    async def hear(self) -> list[zmtp.Event | Message]:
        """What the other side has sent; nothing is answered."""
        await trio.testing.wait_all_tasks_blocked()
        assert self._stream is not None
        events = list(self._connection.receive_data(b""))
        with trio.move_on_after(0.001):
            events += self._connection.receive_data(await self._stream.receive_some())
        return events

    async def say(self, item: zmtp.Item) -> None:
        """Send a message or a heartbeat."""
        encoded: list[bytes] = []
        self._connection.encode([item], encoded)
        await self._send(b"".join(encoded))

    async def answer(self) -> None:
        """Send the PONG to the last PING that was heard."""
        await self._send(self._connection.data_to_send())
        await trio.testing.wait_all_tasks_blocked()

    async def _send(self, data: bytes) -> None:
        assert self._stream is not None
        await self._stream.send_all(data)

    async def leave(self) -> None:
        """Close everything; the endpoint is free for another."""
        await self._listener.aclose()
        await self.hang_up()

    async def hang_up(self) -> None:
        """Close the connection; the next one may come."""
        if self._stream is not None:
            await trio.aclose_forcefully(self._stream)
