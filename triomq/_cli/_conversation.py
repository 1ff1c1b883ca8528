"""The socket of a command: its endpoints, its peers, its end, and what is common to all that is done with it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import trio

from .. import (
    PUB,
    SUB,
    XPUB,
    XSUB,
    Context,
    EndpointError,
    HandshakeRefusedError,
    Message,
    ReceiveSocket,
    SendSocket,
    Socket,
    UnroutableError,
    WrongStateError,
)
from ._exits import DONE, DROPPED, TIMED_OUT, Failure, Teller, UsageError, describe
from ._formats import Frames
from ._notes import Notes
from ._plan import BIND, Plan
from ._quoting import quote
from ._signals import GRACE
from ._sources import Source
from ._streams import Output

_AT_ONCE = 256
"""messages that are written to standard output together"""
_SUBSCRIBING = 0.5
"""seconds for the subscriptions of a peer that has just come"""


class Conversation:
    """One socket and both standard streams.

    Attributes:
      left: messages that may still take part.
    """

    def __init__(self, plan: Plan, ctx: Context, teller: Teller) -> None:
        self.plan: Plan = plan
        self.teller: Teller = teller
        self.output: Output = Output()
        self.left: float = plan.count
        self._notes = Notes(teller)
        ctx.observe(self._notes)
        options = {"linger": plan.linger, **plan.options}
        if plan.kind is SUB:
            options["topics"] = plan.topics
        try:
            self.socket: Socket = ctx.socket(plan.kind, **options)
        except (TypeError, ValueError) as exc:
            raise UsageError(f"-o: {exc}") from exc
        self.undeliverable: int = 0

    async def attach(self) -> None:
        """Bind and connect.

        Raises:
          UsageError: an endpoint is none.
          Failure: an endpoint cannot be bound.
        """
        for way, endpoint in self.plan.endpoints:
            try:
                if way == BIND:
                    bound = await self.socket.bind(endpoint)
                    self.teller.tell(f"bound to {bound}", at=0 if bound != endpoint else 1)
                else:
                    self.socket.connect(endpoint)
            except EndpointError as exc:
                raise UsageError(str(exc)) from exc
            except (OSError, WrongStateError) as exc:
                raise Failure(describe(exc)) from exc
        if self.plan.kind is XSUB:
            for topic in self.plan.topics:
                await self.sender.send(b"\1" + topic)

    @property
    def sender(self) -> SendSocket:
        """The socket, which sends."""
        assert isinstance(self.socket, SendSocket)
        return self.socket

    @property
    def receiver(self) -> ReceiveSocket:
        """The socket, which receives."""
        assert isinstance(self.socket, ReceiveSocket)
        return self.socket

    def source(self, *, count: float) -> Source:
        """Where the messages to send come from."""
        plan = self.plan
        return Source(plan.given, plan.reads, count=count, interval=plan.interval, repeat=plan.repeat)

    @contextmanager
    def limit(self, what: str) -> Iterator[None]:
        """A wait that ``--timeout`` ends.

        Raises:
          Failure: it has.
        """
        with trio.move_on_after(self.plan.timeout) as scope:
            yield
        if scope.cancelled_caught:
            trouble = "".join(f"\n  {endpoint}: {text}" for endpoint, text in self._notes.trouble.items())
            raise Failure(f"{what} within {self.plan.timeout:g} s{trouble}", TIMED_OUT)

    async def wait_for_peers(self, first: Frames | None = None) -> None:
        """Wait for those who are to get the first message.

        Raises:
          Failure: they did not come within the time, or they refuse this side.
        """
        socket, wanted = self.socket, self.plan.peers
        with self.limit("no peer came" if wanted == 1 else f"{wanted} peers did not come"):
            try:
                await socket.wait_peers(wanted)
            except HandshakeRefusedError as exc:
                error = exc.__cause__ or exc
                said = self._notes.has_said(exc.endpoint, error)
                raise Failure(f"{exc.endpoint}: {'given up for that reason' if said else describe(error)}") from exc
        if first is not None and isinstance(socket, (PUB, XPUB)):
            # Peers are here; what they want follows at once, but need not be this message.
            with trio.move_on_after(_SUBSCRIBING):
                await socket.wait_subscribers(first[0], wanted)

    async def send(self, message: Frames) -> None:
        """Send a message; one that can reach nobody is told of and counted.

        Raises:
          Failure: it cannot be sent, or there was no room for it within the time.
        """
        try:
            if self.plan.timeout == math.inf:
                await self.sender.send(message)
            else:
                with self.limit("there was no room to send a message"):
                    await self.sender.send(message)
        except UnroutableError as exc:
            self.undeliverable += 1
            here = ", ".join(quote(peer.routing_id).decode() for peer in self.socket.peers[:10])
            name = quote(exc.routing_id).decode()
            self.teller.tell(f"nobody here has the routing id {name}; here are: {here or 'none'}", at=-1)
        except ValueError as exc:
            raise Failure(describe(exc)) from exc

    async def receive(self) -> list[Message]:
        """Wait for messages: as many as have come, and are to be taken."""
        with self.limit("nothing arrived"):
            return await self.receiver.receive_many(int(min(self.left, _AT_ONCE)))
        raise AssertionError("unreachable")

    async def write(self, messages: list[Message]) -> None:
        """Write messages to standard output."""
        encode = self.plan.writes.encode
        await self.output.write(b"".join([encode(message) for message in messages]))

    async def close(self, *, in_time: bool) -> None:
        """Send what is queued, for as long as that may last.

        Args:
          in_time: all was done; else the command was given up, and only a moment is left.
        """
        with trio.move_on_after(math.inf if in_time else GRACE):
            await self.socket.aclose()

    def verdict(self) -> int:
        """Once the socket is closed: tell of messages that were lost. Returns: the exit code."""
        lost = self.socket.messages_dropped + self.undeliverable
        if not lost or not isinstance(self.socket, SendSocket):
            return DONE
        messages = "1 message was" if lost == 1 else f"{lost:,} messages were"
        self.teller.tell(f"{messages} not delivered{self._why()}", at=-1)
        return DROPPED

    def _why(self) -> str:
        if isinstance(self.socket, (PUB, XPUB)) and not self.socket.options.xpub_nodrop:
            return ": a subscriber was too slow; -o xpub_nodrop=true waits for the slowest instead"
        return ""
