"""Two socket types that the package does not have, SCATTER and GATHER (RFC 49): a pattern and a short class each.

They are PUSH and PULL for messages of a single frame. Nothing in the package knows of them but the list of types that
talk to each other, which is ZMTP's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, final

import pytest
import trio
import trio.testing

import triomq
from triomq import Message, ReceiveSocket, RemoteProtocolError, SendSocket, zmtp
from triomq._patterns import FairReceiver, Pattern, RoundRobin, Sender
from triomq.abc import Pipe
from triomq.testing import VirtualNetwork, VirtualStream

from ..virtual import dial

settle = trio.testing.wait_all_tasks_blocked


# --- the types ---------------------------------------------------------------------------------


class Scatter(RoundRobin):
    """To the next peer that has room; messages of one frame only."""

    interprets = True
    room_for_many = Sender.room_for_many  # each message is looked at

    def submit(self, message: tuple[bytes, ...]) -> bool:
        if len(message) != 1:
            raise ValueError(f"SCATTER sends messages of one frame, and this one has {len(message)}: {message!r}")
        return self.balancer.send(message)

    def interpret(self, pipe: Pipe, events: Sequence[Any]) -> list[Message]:
        """Drop it: a GATHER has nothing to say."""
        pipe.drop(len(events))
        return []


class Gather(FairReceiver):
    """From all peers, each in turn; a peer that sends several frames breaks the protocol."""

    interprets = True

    def interpret(self, pipe: Pipe, events: Sequence[Any]) -> list[Message]:
        """Let through what came before the fault."""
        for index, message in enumerate(events):
            if len(message) != 1:
                error = RemoteProtocolError(f"a message of {len(message)} frames to a GATHER, which takes one")
                pipe.inbox.source.hang_up(error)
                pipe.drop(len(events) - index)
                return list(events[:index])
        return list(events)


@final
class SCATTER(SendSocket):
    """Sends each message to one of its GATHER peers, in turn."""

    socket_type: ClassVar[str] = "SCATTER"
    _pattern_class: ClassVar[type[Pattern]] = Scatter


@final
class GATHER(ReceiveSocket):
    """Receives from all of its SCATTER peers, each in turn."""

    socket_type: ClassVar[str] = "GATHER"
    _pattern_class: ClassVar[type[Pattern]] = Gather


# --- what they do ------------------------------------------------------------------------------

EACH = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://gather"], ids=["tcp", "inproc"])


async def bound(ctx: triomq.Context, endpoint: str, number: int = 1, **options: Any) -> tuple[SCATTER, list[GATHER]]:
    """A SCATTER and GATHERs that are connected to it, one after the other."""
    scatter = ctx.socket(SCATTER, **options)
    address = await scatter.bind(endpoint)
    gathers = []
    for count in range(number):
        gather = ctx.socket(GATHER, **options)
        gather.connect(address)
        await scatter.wait_peers(count + 1)
        gathers.append(gather)
    return scatter, gathers


async def received(gather: GATHER) -> list[bytes]:
    """What has arrived, all of it."""
    await settle()
    found = []
    while True:
        try:
            found.append(bytes(gather.receive_nowait()))
        except trio.WouldBlock:
            return found


@EACH
async def test_messages_go_to_the_peers_in_turn(endpoint: str, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        scatter, gathers = await bound(ctx, endpoint, 3)
        for number in range(7):
            await scatter.send(b"%d" % number)
        assert [await received(gather) for gather in gathers] == [[b"0", b"3", b"6"], [b"1", b"4"], [b"2", b"5"]]


@EACH
async def test_messages_of_all_peers_are_received_each_in_turn(endpoint: str, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        gather = ctx.socket(GATHER)
        address = await gather.bind(endpoint)
        scatters = [ctx.socket(SCATTER) for _ in range(2)]
        for scatter, letters in zip(scatters, (b"abc", b"xyz"), strict=True):
            scatter.connect(address)
            await scatter.wait_peers()
            for letter in letters:
                scatter.send_nowait(bytes([letter]))
        await settle()
        assert [bytes(await gather.receive()) for _ in range(6)] == [b"a", b"x", b"b", b"y", b"c", b"z"]


@EACH
async def test_many_are_sent_and_received_at_once(endpoint: str, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        scatter, (gather,) = await bound(ctx, endpoint)
        await scatter.send_many(b"%d" % number for number in range(500))
        await settle()
        many = await gather.receive_many(400)
        assert [bytes(message) for message in many] == [b"%d" % number for number in range(400)]
        assert len(await gather.receive_many(400)) == 100


@EACH
async def test_a_message_of_several_frames_is_refused_and_those_around_it_go(
    endpoint: str, virtual_network: VirtualNetwork
) -> None:
    async with virtual_network.open_context() as ctx:
        scatter, (gather,) = await bound(ctx, endpoint)
        with pytest.raises(ValueError, match="messages of one frame, and this one has 2"):
            await scatter.send([b"a", b"b"])
        with pytest.raises(ValueError, match="messages of one frame, and this one has 2"):
            scatter.send_nowait([b"a", b"b"])
        with pytest.raises(ValueError, match="this one has 3"):
            await scatter.send_many([b"before", [b"x", b"y", b"z"], b"after"])
        await scatter.send(b"next")
        assert await received(gather) == [b"before", b"next"]


async def test_a_message_of_several_frames_is_refused_without_a_peer_too(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        with pytest.raises(ValueError, match="one frame"):
            await ctx.socket(SCATTER).send([b"a", b"b"])


@EACH
async def test_a_cancelled_send_was_not_accepted(endpoint: str, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        scatter = ctx.socket(SCATTER)
        address = await scatter.bind(endpoint)
        with trio.move_on_after(5) as scope:
            await scatter.send(b"never")
        assert scope.cancelled_caught
        gather = ctx.socket(GATHER)
        gather.connect(address)
        await scatter.send(b"once there is a peer")
        assert await received(gather) == [b"once there is a peer"]


@EACH
@pytest.mark.parametrize("first", ["cancelled", "sent"])
async def test_a_receive_that_is_cancelled_just_when_a_message_comes_loses_none(
    endpoint: str, first: str, virtual_network: VirtualNetwork
) -> None:
    async with virtual_network.open_context() as ctx:
        scatter, (gather,) = await bound(ctx, endpoint)
        got: list[bytes] = []

        async def receive() -> None:
            got.append(bytes(await gather.receive()))

        for number in range(20):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(receive)
                await settle()
                if first == "cancelled":
                    nursery.cancel_scope.cancel()
                    scatter.send_nowait(b"%d" % number)
                else:
                    scatter.send_nowait(b"%d" % number)
                    nursery.cancel_scope.cancel()
            got.extend(await received(gather))
        assert got == [b"%d" % number for number in range(20)]


@EACH
async def test_a_full_peer_is_waited_for(endpoint: str, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        scatter, (gather,) = await bound(ctx, endpoint, send_hwm=2, receive_hwm=2)
        accepted = 0
        async with trio.open_nursery() as nursery:

            async def send() -> None:
                nonlocal accepted
                for number in range(20):
                    await scatter.send(b"%d" % number + bytes(200_000))
                    accepted = number + 1

            nursery.start_soon(send)
            await settle()
            assert 4 <= accepted < 20
            assert scatter.statistics().tasks_waiting_send == 1
            got = [(await gather.receive())[0].rstrip(b"\0") for _ in range(20)]
        assert got == [b"%d" % number for number in range(20)]


@EACH
async def test_peers_and_messages_are_counted(endpoint: str, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        scatter, (gather,) = await bound(ctx, endpoint)
        await gather.wait_peers(1)
        for _ in range(3):
            await scatter.send(b"m")
        await settle()
        await gather.receive()
        (peer,) = gather.peers
        assert peer.socket_type == "SCATTER"
        sent, got = scatter.statistics(), gather.statistics()
        assert (sent.messages_sent, got.messages_received, got.messages_dropped) == (3, 3, 0)
        assert (got.peers[0].receive_queue, got.tasks_waiting_receive) == (2, 0)
        assert repr(scatter) == f"<triomq.SCATTER {scatter.endpoints[0]}>"


@EACH
@pytest.mark.parametrize("pair", [(SCATTER, triomq.PULL), (triomq.PUSH, GATHER), (GATHER, GATHER)], ids=str)
async def test_another_type_is_refused(endpoint: str, pair: Any, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        one, other = map(ctx.socket, pair)
        events = one.monitor()
        other.connect(await one.bind(endpoint))
        async for event in events:
            if isinstance(event, triomq.HandshakeFailed):
                break
        assert f"{pair[1].socket_type}" in str(event.error)
        assert "does not talk to" in str(event.error)
        assert one.peers == other.peers == ()


@EACH
async def test_closed_under_it_a_call_ends(endpoint: str, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        _, (gather,) = await bound(ctx, endpoint)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(gather.aclose)
            with pytest.raises(trio.ClosedResourceError, match=r"GATHER\.receive"):
                await gather.receive()


@EACH
async def test_a_proxy_stands_between_them(endpoint: str, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        scatter, (front,) = await bound(ctx, endpoint)
        back, (gather,) = await bound(ctx, endpoint.replace("gather", "further"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(triomq.proxy, front, back)
            await scatter.send_many([b"a", b"b"])
            assert await received(gather) == [b"a", b"b"]
            nursery.cancel_scope.cancel()


def test_they_are_made_by_a_context() -> None:
    with pytest.raises(TypeError, match="made by a context"):
        SCATTER()


# --- a peer that sends several frames ----------------------------------------------------------


async def raw_scatter(net: VirtualNetwork, endpoint: str) -> tuple[VirtualStream, zmtp.Connection]:
    stream, connection = await dial(net, endpoint), zmtp.Connection("SCATTER", as_server=False)
    while not connection.established:
        await stream.send_all(connection.data_to_send())
        connection.receive_data(await stream.receive_some())
    await stream.send_all(connection.data_to_send())
    return stream, connection


async def test_a_remote_peer_that_sends_several_frames_is_ended_and_another_is_not(
    virtual_network: VirtualNetwork,
) -> None:
    async with virtual_network.open_context() as ctx:
        gather, scatter = ctx.socket(GATHER), ctx.socket(SCATTER)
        events = gather.monitor()
        address = await gather.bind("tcp://127.0.0.1:0")
        scatter.connect(address)
        await gather.wait_peers(1)
        stream, connection = await raw_scatter(virtual_network, address)
        await gather.wait_peers(2)
        buffers: list[bytes] = []
        connection.encode([Message([b"good"]), Message([b"a", b"b"]), Message([b"too late"])], buffers)
        await stream.send_all(b"".join(buffers))
        async for event in events:
            if isinstance(event, triomq.Disconnected):
                break
        assert isinstance(event.error, RemoteProtocolError)
        assert "2 frames" in str(event.error)
        while await stream.receive_some():
            pass  # what was under way to the peer that is being ended
        await scatter.send(b"still there")
        assert await received(gather) == [b"good", b"still there"]
        assert gather.statistics().messages_dropped == 2
        await stream.aclose()


async def test_a_peer_of_this_program_that_sends_several_frames_loses_these_messages_alone(
    virtual_network: VirtualNetwork,
) -> None:
    class Unchecked(RoundRobin):
        """Sends whatever it is given."""

    class FALSE_SCATTER(SendSocket):
        """Says that it is a SCATTER."""

        socket_type: ClassVar[str] = "SCATTER"
        _pattern_class: ClassVar[type[Pattern]] = Unchecked

    async with virtual_network.open_context() as ctx:
        gather, false = ctx.socket(GATHER), ctx.socket(FALSE_SCATTER)
        false.connect(await gather.bind("inproc://gather"))
        for message in (b"good", [b"a", b"b"], b"good again"):
            await false.send(message)
        assert await received(gather) == [b"good", b"good again"]
        assert gather.statistics().messages_dropped == 1
        assert len(gather.peers) == 1
