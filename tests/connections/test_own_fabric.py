"""A carrier from outside of the package, for a fabric without sessions: sockets work over it as over any other."""

from __future__ import annotations

import ast
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing
from trio.testing import wait_all_tasks_blocked

import triomq
from triomq import PUB, SUB, XPUB, XSUB

from .fabric import SILENCE, Air, Fabric, decode, encode

GROUP = "fabric://prices"


@pytest.fixture
async def air():
    """What the fabrics of all contexts have in common."""
    air = Air()
    yield air
    assert air.listeners == 0


@asynccontextmanager
async def on_air(air: Air, burst: int = 1000) -> AsyncIterator[triomq.Context]:
    async with triomq.open_context(transports={"fabric": Fabric(air, burst)}) as ctx:
        yield ctx


def numbered(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def arrived(socket: triomq.ReceiveSocket) -> Iterator[bytes]:
    """What can be received now."""
    while True:
        try:
            yield bytes(socket.receive_nowait())
        except trio.WouldBlock:
            return


async def join(socket: triomq.Socket, how: str) -> None:
    if how == "bind":
        assert await socket.bind(GROUP) == GROUP
    else:
        socket.connect(GROUP)
    assert socket.endpoints == (GROUP,)


@pytest.mark.parametrize("how", ["bind", "connect"])
@pytest.mark.parametrize("receiving", [SUB, XSUB])
@pytest.mark.parametrize("sending", [PUB, XPUB])
async def test_everybody_gets_everything(autojump_clock, air: Air, sending, receiving, how: str) -> None:
    async with on_air(air) as one, on_air(air) as other:
        publisher = one.socket(sending)
        await join(publisher, how)
        await publisher.wait_subscribers(b"any topic")
        subscribers = [ctx.socket(receiving) for ctx in (one, other, other)]
        for subscriber in subscribers:
            await join(subscriber, how)
            if receiving is SUB:
                subscriber.subscribe(b"")
            else:
                await subscriber.send(b"\1")
        for number in range(100):
            await publisher.send([b"topic", b"%d" % number])
        for subscriber in subscribers:
            assert [await subscriber.receive() for _ in range(100)] == [
                (b"topic", b"%d" % number) for number in range(100)
            ]
        assert publisher.statistics().messages_sent == 100
        assert [subscriber.statistics().messages_received for subscriber in subscribers] == [100, 100, 100]
        assert publisher.messages_dropped == 0


async def test_a_subscriber_keeps_what_it_asked_for(autojump_clock, air: Air) -> None:
    async with on_air(air) as ctx:
        pub, sub = ctx.socket(PUB), ctx.socket(SUB, topics=["a"])
        pub.connect(GROUP)
        sub.connect(GROUP)
        for message in (b"a1", b"b1", b"a2"):
            await pub.send(message)
        assert [bytes(await sub.receive()) for _ in range(2)] == [b"a1", b"a2"]
        sub.subscribe("b")  # nobody can be told, and it works
        sub.unsubscribe("a")
        await pub.send(b"a3")
        await pub.send(b"b2")
        assert bytes(await sub.receive()) == b"b2"
        (row,) = sub.statistics().peers
        assert (row.send_queue, row.messages_dropped) == (0, 0)


async def test_an_xpub_is_told_that_the_group_wants_everything_and_a_proxy_works(autojump_clock, air: Air) -> None:
    async with on_air(air) as ctx:
        xpub, xsub, pub, sub = ctx.socket(XPUB), ctx.socket(XSUB), ctx.socket(PUB), ctx.socket(SUB, topics=["x"])
        xpub.connect("fabric://out")
        sub.connect("fabric://out")
        xsub.connect("fabric://in")
        pub.connect("fabric://in")
        async with trio.open_nursery() as nursery:
            await nursery.start(triomq.proxy, xsub, xpub)
            await wait_all_tasks_blocked()
            await pub.send(b"x marks it")
            assert bytes(await sub.receive()) == b"x marks it"
            assert xpub.statistics().messages_received == 0  # a notice is no message of a peer
            nursery.cancel_scope.cancel()


async def test_a_full_queue_drops_and_counts_and_the_rest_goes_when_it_may(autojump_clock, air: Air) -> None:
    async with on_air(air, burst=3) as ctx:
        pub, sub = ctx.socket(PUB, send_hwm=5), ctx.socket(SUB, topics=[""])
        pub.connect(GROUP)
        sub.connect(GROUP)
        for message in numbered(20):
            await pub.send(message)
        (row,) = pub.statistics().peers
        assert (row.messages_sent, row.send_queue, row.messages_dropped, row.send_hwm) == (3, 5, 12, 5)
        assert row.endpoint == row.address == GROUP
        await wait_all_tasks_blocked()
        assert list(arrived(sub)) == numbered(3)
        await trio.sleep(1.5)
        assert list(arrived(sub)) == numbered(6)[3:]
        await trio.sleep(1)
        assert list(arrived(sub)) == numbered(8)[6:]
        assert (pub.statistics().messages_sent, pub.messages_dropped) == (8, 12)


async def test_with_nodrop_a_sender_waits_for_the_fabric_and_a_cancelled_one_was_not_accepted(
    autojump_clock, air: Air
) -> None:
    async with on_air(air, burst=3) as ctx:
        pub, sub = ctx.socket(XPUB, send_hwm=5, xpub_nodrop=True), ctx.socket(SUB, topics=[""])
        pub.connect(GROUP)
        sub.connect(GROUP)
        began = trio.current_time()
        for message in numbered(20):
            with trio.move_on_after(0.4) as patience:
                await pub.send(message)
            if patience.cancelled_caught:
                assert pub.statistics().tasks_waiting_send == 0
                await pub.send(message)
        assert trio.current_time() - began == pytest.approx(4)
        assert [bytes(await sub.receive()) for _ in range(20)] == numbered(20)
        assert pub.messages_dropped == 0


async def test_conflate_keeps_the_newest_at_either_end(autojump_clock, air: Air) -> None:
    async with on_air(air, burst=1) as ctx:
        pub, sub = ctx.socket(PUB, conflate=True), ctx.socket(SUB, topics=[""], conflate=True)
        pub.connect(GROUP)
        sub.connect(GROUP)
        for message in numbered(10):
            await pub.send(message)
        await trio.sleep(1.5)
        assert list(arrived(sub)) == [b"9"]
        assert (pub.messages_dropped, sub.messages_dropped) == (8, 1)


async def test_a_slow_subscriber_drops_and_counts_and_the_others_do_not(autojump_clock, air: Air) -> None:
    async with on_air(air) as ctx:
        pub = ctx.socket(PUB)
        slow, quick = ctx.socket(SUB, topics=[""], receive_hwm=4), ctx.socket(SUB, topics=[""])
        for socket in (pub, slow, quick):
            socket.connect(GROUP)
        for message in numbered(10):
            await pub.send(message)
        await wait_all_tasks_blocked()
        (row,) = slow.statistics().peers
        assert (row.messages_received, row.messages_dropped, row.receive_queue, row.receive_hwm) == (4, 6, 4, 4)
        assert list(arrived(slow)) == numbered(4)
        assert list(arrived(quick)) == numbered(10)
        await pub.send(b"later")
        assert bytes(await slow.receive()) == b"later"


async def test_several_senders_are_peers_and_are_received_from_in_turn(autojump_clock, air: Air) -> None:
    async with on_air(air) as ctx:
        sub, one, other = ctx.socket(SUB, topics=[""]), ctx.socket(PUB), ctx.socket(PUB)
        for socket in (sub, one, other):
            socket.connect(GROUP)
        await one.send_many([b"a", b"b", b"c"])
        await other.send_many([b"d", b"e", b"f"])
        await wait_all_tasks_blocked()
        assert [peer.socket_type for peer in sub.peers] == ["PUB", "PUB"]
        assert len({peer.address for peer in sub.peers}) == 2
        assert list(arrived(sub)) == [b"a", b"d", b"b", b"e", b"c", b"f"]


@pytest.mark.parametrize("linger", [math.inf, 2.5, 0])
async def test_closing_lingers(autojump_clock, air: Air, linger: float) -> None:
    async with on_air(air) as other:
        sub = other.socket(SUB, topics=[""])
        sub.connect(GROUP)
        began = trio.current_time()
        async with on_air(air, burst=2) as ctx:
            pub = ctx.socket(PUB, linger=linger)
            pub.connect(GROUP)
            for message in numbered(10):
                await pub.send(message)
        assert trio.current_time() - began == pytest.approx(min(linger, 4))
        await wait_all_tasks_blocked()
        received = list(arrived(sub))
        assert received == numbered(2 + 2 * int(min(linger, 4)))
        assert pub.messages_dropped == 10 - len(received)
        assert pub.statistics().messages_sent == len(received)


async def test_a_cancelled_context_does_not_linger(autojump_clock, air: Air) -> None:
    began = trio.current_time()
    with trio.move_on_after(1.5):
        async with on_air(air, burst=1) as ctx:
            pub = ctx.socket(PUB, linger=math.inf)
            pub.connect(GROUP)
            for message in numbered(10):
                await pub.send(message)
    assert trio.current_time() - began == 1.5


async def test_disconnecting_sends_what_is_queued(autojump_clock, air: Air) -> None:
    async with on_air(air, burst=2) as ctx:
        pub, sub = ctx.socket(PUB, linger=60), ctx.socket(SUB, topics=[""])
        pub.connect(GROUP)
        pub.connect("fabric://others")
        sub.connect(GROUP)
        for message in numbered(6):
            await pub.send(message)
        pub.disconnect(GROUP)
        assert pub.endpoints == ("fabric://others",)
        await pub.send(b"for the others")
        await trio.sleep(10)
        assert list(arrived(sub)) == numbered(6)
        assert [peer.endpoint for peer in pub.peers] == ["fabric://others"]
        sub.disconnect(GROUP)
        assert sub.peers == ()
        assert air.listeners == 0


async def test_unbound_it_hears_no_more_and_what_has_arrived_is_still_received(autojump_clock, air: Air) -> None:
    async with on_air(air) as ctx:
        pub, sub = ctx.socket(PUB), ctx.socket(SUB, topics=[""])
        await pub.bind(GROUP)
        await sub.bind(GROUP)
        await pub.send(b"before")
        await sub.wait_peers()
        await sub.unbind(GROUP)
        await pub.send(b"after")
        assert bytes(await sub.receive()) == b"before"
        with trio.move_on_after(5):
            await sub.receive()
            pytest.fail("it was unbound")


@pytest.mark.parametrize("late", [False, True])
async def test_a_cancelled_receive_takes_nothing(autojump_clock, air: Air, late: bool) -> None:
    async with on_air(air) as ctx:
        pub, sub = ctx.socket(PUB), ctx.socket(SUB, topics=[""])
        pub.connect(GROUP)
        sub.connect(GROUP)
        got: list[triomq.Message] = []
        for message in numbered(50):
            async with trio.open_nursery() as nursery:

                async def receive() -> None:
                    got.append(await sub.receive())

                nursery.start_soon(receive)
                await wait_all_tasks_blocked()
                await pub.send(message)
                if late:
                    await trio.lowlevel.checkpoint()  # the datagram is read about now
                nursery.cancel_scope.cancel()
            if not got or bytes(got[-1]) != message:
                got.append(await sub.receive())
        assert [bytes(message) for message in got] == numbered(50)


async def test_a_silent_sender_is_forgotten_with_a_reason_and_may_come_back(autojump_clock, air: Air) -> None:
    async with on_air(air) as ctx:
        pub, sub = ctx.socket(PUB), ctx.socket(SUB, topics=[""])
        monitor = sub.monitor()
        pub.connect(GROUP)
        await sub.bind(GROUP)
        await pub.send(b"one")
        await trio.sleep(SILENCE - 1)
        await pub.send(b"two")
        await trio.sleep(SILENCE - 1)
        assert len(sub.peers) == 1
        await trio.sleep(2)
        assert sub.peers == ()
        assert list(arrived(sub)) == [b"one", b"two"]
        await pub.send(b"three")
        assert bytes(await sub.receive()) == b"three"
        await sub.aclose()
        events = [event async for event in monitor]
        assert [type(event) for event in events] == [
            triomq.Listening,
            triomq.Connected,
            triomq.Disconnected,
            triomq.Connected,
            triomq.Disconnected,
        ]
        assert isinstance(events[2].error, triomq.SilentPeerError)
        assert events[4].error is None
        assert {event.endpoint for event in events} == {GROUP}


@pytest.mark.parametrize("datagram", [b"", b"1234", encode(1, (b"x",))[:-1], encode(1, (b"x",)) + b"\0"])
async def test_garbage_is_told_of_and_harms_nobody(autojump_clock, air: Air, datagram: bytes) -> None:
    async with on_air(air) as ctx:
        pub, sub = ctx.socket(PUB), ctx.socket(SUB, topics=[""])
        monitor = sub.monitor()
        pub.connect(GROUP)
        sub.connect(GROUP)
        air.send("prices", datagram)
        event = await monitor.receive()
        assert isinstance(event, triomq.HandshakeFailed)
        assert isinstance(event.error, triomq.RemoteProtocolError)
        await pub.send(b"one")
        assert bytes(await sub.receive()) == b"one"
        assert len(sub.peers) == 1


async def test_no_more_senders_than_max_peers(autojump_clock, air: Air) -> None:
    async with on_air(air) as ctx:
        sub = ctx.socket(SUB, topics=[""], max_peers=2)
        monitor = sub.monitor()
        sub.connect(GROUP)
        for sender in (1, 2, 3, 1):
            air.send("prices", encode(sender, (b"%d" % sender,)))
        await wait_all_tasks_blocked()
        assert sorted(arrived(sub)) == [b"1", b"1", b"2"]
        kinds = [type(monitor.receive_nowait()) for _ in range(3)]
        assert kinds == [triomq.Connected, triomq.Connected, triomq.HandshakeFailed]


async def test_what_cannot_be_carried_is_refused(autojump_clock, air: Air) -> None:
    async with on_air(air) as ctx:
        push, pub = ctx.socket(triomq.PUSH), ctx.socket(PUB)
        for socket, endpoint, why in ((push, GROUP, "not PUSH"), (pub, "fabric://B 4", "small letters")):
            with pytest.raises(triomq.EndpointError, match=why):
                socket.connect(endpoint)
            with pytest.raises(triomq.EndpointError, match=why):
                await socket.bind(endpoint)
            assert socket.endpoints == ()


async def test_a_bug_of_a_carrier_ends_the_context_loudly(autojump_clock, air: Air) -> None:
    class Broken(Fabric):
        def connect(self, host, endpoint, address):
            async def crash() -> None:
                raise ZeroDivisionError

            host.tasks.start(crash, name="crash")
            return super().connect(host, endpoint, address)

    with pytest.raises(triomq.InternalError) as caught:
        async with triomq.open_context(transports={"fabric": Broken(air)}) as ctx:
            pub = ctx.socket(PUB)
            pub.connect(GROUP)
            await trio.sleep_forever()
    assert "ZeroDivisionError" in repr(caught.value.__cause__)


def test_a_datagram_is_what_was_encoded() -> None:
    assert decode(encode(7, (b"a", b"", b"ccc"))) == (7, [b"a", b"", b"ccc"])


@pytest.mark.parametrize("file", ["fabric.py", "framing.py"])
def test_the_carriers_are_made_of_public_names_alone(file: str) -> None:
    """Else they would not show that anybody can write one."""
    tree = ast.parse(Path(__file__).with_name(file).read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert not node.level
            assert not any(part.startswith("_") for part in (node.module or "").split(".") if part != "__future__")
        elif isinstance(node, ast.Import):
            assert not any("._" in alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
            assert ast.unparse(node.value) == "self", ast.unparse(node)
