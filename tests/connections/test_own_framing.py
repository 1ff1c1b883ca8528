"""A framing from outside of the package, on the streams of the transports that a context has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product

import pytest
import trio

import triomq
from triomq.abc import StreamCarrier
from triomq.testing import VirtualNetwork
from triomq.zmtp import COMPATIBLE, Ping, command_body, encode_properties

from ..virtual import dial
from .framing import COMMAND, LAST, Framed, frame, framed

PAIRS = [
    ("REQ", "REP"),
    ("REQ", "ROUTER"),
    ("DEALER", "REP"),
    ("DEALER", "DEALER"),
    ("DEALER", "ROUTER"),
    ("ROUTER", "ROUTER"),
    ("PUB", "SUB"),
    ("PUB", "XSUB"),
    ("XPUB", "SUB"),
    ("XPUB", "XSUB"),
    ("PUSH", "PULL"),
    ("PAIR", "PAIR"),
]
SAID = {("DEALER", "REP"): [b""], ("ROUTER", "ROUTER"): [b"second"]}  # what the first writes before the body
CARRIERS = {"framed": StreamCarrier("tcp", framed()), "local": StreamCarrier("ipc", framed())}
READY = frame(COMMAND, command_body(b"READY", encode_properties({"Socket-Type": b"PUSH"})))


@asynccontextmanager
async def two_hosts(net: VirtualNetwork, **carriers: StreamCarrier) -> AsyncIterator[tuple]:
    """Contexts of the hosts a and b."""
    carriers = carriers or CARRIERS
    async with net.open_context("a", transports=carriers) as a, net.open_context("b", transports=carriers) as b:
        yield a, b


def test_the_list_of_pairs_is_whole() -> None:
    types = {one for pair in PAIRS for one in pair}
    allowed = {frozenset((one, other)) for one, other in product(types, types) if other in COMPATIBLE[one]}
    assert allowed == set(map(frozenset, PAIRS))
    public = [getattr(triomq, name) for name in triomq.__all__]  # some are imported when they are asked for
    ours = {one for one in public if isinstance(one, type) and issubclass(one, triomq.Socket)}
    assert types == {one.__name__ for one in ours if hasattr(one, "socket_type")}


async def exchange(first, second, *body: bytes) -> None:
    """A message there and, if the types have a way back, another one back."""
    await first.send([*SAID.get((first.socket_type, second.socket_type), []), *body])
    heard = await second.receive()
    before = len(heard) - len(body)
    assert heard[before:] == body
    if isinstance(first, triomq.ReceiveSocket) and isinstance(second, triomq.SendSocket):
        await second.send([*heard[:before], *reversed(body)])
        assert (await first.receive())[-len(body) :] == body[::-1]


@pytest.mark.parametrize("scheme", ["framed://*:0", "local://*"])
@pytest.mark.parametrize("first_binds", [True, False], ids=["first-binds", "second-binds"])
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
async def test_messages_pass(virtual_network: VirtualNetwork, pair, first_binds: bool, scheme: str) -> None:
    async with virtual_network.open_context(transports=CARRIERS) as ctx:
        first, second = (
            ctx.socket(getattr(triomq, kind), **({"routing_id": name} if kind in ("ROUTER", "DEALER", "REQ") else {}))
            for kind, name in zip(pair, (b"first", b"second"), strict=True)
        )
        binding, connecting = (first, second) if first_binds else (second, first)
        connecting.connect(await binding.bind(scheme))
        await first.wait_peers()
        await second.wait_peers()
        if pair[1] == "SUB":
            second.subscribe(b"")
        elif pair[1] == "XSUB":
            await second.send(b"\1")
        if pair[0] in ("PUB", "XPUB"):
            await first.wait_subscribers(b"any")
        if pair[0] == "XPUB":
            assert await first.receive() == (b"\1",)
        await exchange(first, second, b"one")
        await exchange(first, second, b"several", b"", b"frames" * 100_000)
        await exchange(first, second, b"again", b"")


async def test_a_full_receiver_holds_the_sender_up_and_nothing_is_lost(virtual_network: VirtualNetwork) -> None:
    async with two_hosts(virtual_network) as (a, b):
        pull, push = b.socket(triomq.PULL, receive_hwm=10), a.socket(triomq.PUSH, send_hwm=10)
        push.connect(await pull.bind("framed://*:5555"))
        messages = [b"%d" % number * 2000 for number in range(1000)]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(push.send_many, iter(messages))
            await trio.sleep(10)
            assert nursery.child_tasks
            assert pull.statistics().peers[0].receive_queue == 10
            assert [bytes(await pull.receive()) for _ in messages] == messages


@pytest.mark.parametrize("how", ["reset", "black hole"])
async def test_it_connects_again_and_keeps_its_queue(virtual_network: VirtualNetwork, how: str) -> None:
    async with two_hosts(virtual_network) as (a, b):
        pull = b.socket(triomq.PULL, heartbeat_interval=1)
        push = a.socket(triomq.PUSH, heartbeat_interval=1)
        push.connect(await pull.bind("framed://*:5555"))
        await push.send(b"before")
        assert bytes(await pull.receive()) == b"before"
        virtual_network.cut("a", "b", how)
        await trio.sleep(5)
        await push.send(b"after")
        assert bytes(await pull.receive()) == b"after"


async def test_a_subscriber_repeats_its_subscriptions(virtual_network: VirtualNetwork) -> None:
    async with two_hosts(virtual_network) as (a, b):
        sub = a.socket(triomq.SUB, topics=["a", "b"])
        for _ in range(2):  # the second publisher is another one, and knows nothing
            pub = b.socket(triomq.PUB)
            await pub.bind("framed://*:5555")
            sub.connect("framed://b:5555")
            await pub.wait_subscribers("a")
            await pub.wait_subscribers("b")
            await pub.send(b"c")
            await pub.send(b"b")
            assert bytes(await sub.receive()) == b"b"
            await pub.aclose()


@pytest.mark.parametrize("heartbeats", [True, False])
async def test_an_idle_connection_stays(virtual_network: VirtualNetwork, heartbeats: bool) -> None:
    """With PINGs where the protocol has them, without where it has not, whatever the options say."""
    sent: list[str] = []

    class Heard(Framed):
        def encode(self, messages, out, ends=None):
            sent.extend(type(message).__name__ for message in messages if isinstance(message, Ping))
            return super().encode(messages, out, ends)

    def new(host, as_server):
        return Heard(host.socket_type, routing_id=b"", max_message_size=1000, heartbeats=heartbeats)

    async with two_hosts(virtual_network, framed=StreamCarrier("tcp", new)) as (a, b):
        options = {"heartbeat_interval": 1, "heartbeat_timeout": 2, "heartbeat_ttl": 3}
        pull, push = b.socket(triomq.PULL, **options), a.socket(triomq.PUSH, **options)
        monitor = push.monitor()
        push.connect(await pull.bind("framed://*:5555"))
        await trio.sleep(60)
        assert len(push.peers) == len(pull.peers) == 1
        await push.send(b"still")
        assert bytes(await pull.receive()) == b"still"
        assert (len(sent) > 100) == heartbeats
        await push.aclose()
        assert [type(event) for event in [event async for event in monitor]].count(triomq.Connected) == 1


async def test_a_silent_peer_is_dropped_where_the_protocol_has_heartbeats(virtual_network: VirtualNetwork) -> None:
    async with two_hosts(virtual_network) as (a, b):
        pull, push = b.socket(triomq.PULL), a.socket(triomq.PUSH, heartbeat_interval=1, heartbeat_timeout=2)
        monitor = push.monitor()
        push.connect(await pull.bind("framed://*:5555"))
        await push.wait_peers()
        virtual_network.cut("a", "b", "black hole")
        async for event in monitor:
            if isinstance(event, triomq.Disconnected):
                assert isinstance(event.error, triomq.SilentPeerError)
                break


BROKEN = {
    "flag": frame(3, b"x"),
    "nothing": b"\0\0\0\0\0",
    "command": frame(COMMAND, command_body(b"PING", b"short")),
    "large": frame(LAST, bytes(2000)),
    "larger than it will ever be": b"\xff\xff\xff\xff\0",
    "zmtp": b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(48),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
async def test_a_peer_that_breaks_the_framing_is_dropped_and_the_others_are_served(
    virtual_network: VirtualNetwork, broken: bytes
) -> None:
    async with two_hosts(virtual_network) as (a, b):
        pull, push = b.socket(triomq.PULL, max_message_size=1000), a.socket(triomq.PUSH)
        endpoint = await pull.bind("framed://*:5555")
        push.connect(endpoint)
        await pull.wait_peers()
        for beginning, kind in ((READY + frame(LAST, b"good"), triomq.Disconnected), (b"", triomq.HandshakeFailed)):
            monitor = pull.monitor()
            stream = await dial(virtual_network, "tcp://b:5555", "c")
            await stream.send_all(beginning + broken)
            while not isinstance(event := await monitor.receive(), kind):
                pass
            assert isinstance(event.error, triomq.RemoteProtocolError)
            assert event.endpoint == endpoint
            await stream.aclose()
        assert bytes(await pull.receive()) == b"good"
        await push.send(b"also good")
        assert bytes(await pull.receive()) == b"also good"


async def test_a_protocol_that_gives_out_a_message_too_early_fails_loudly(virtual_network: VirtualNetwork) -> None:
    """Nobody could receive it."""

    class Hasty(Framed):
        def receive_data(self, data, limit=1000):
            return [event for event in super().receive_data(data, limit + 1) if isinstance(event, triomq.Message)]

    def new(host, as_server):
        return Hasty(host.socket_type, routing_id=b"", max_message_size=1000)

    with pytest.raises(triomq.InternalError) as caught:
        async with virtual_network.open_context("b", transports={"framed": StreamCarrier("tcp", new)}) as ctx:
            await ctx.socket(triomq.PULL).bind("framed://*:5555")
            stream = await dial(virtual_network, "tcp://b:5555", "c")
            await stream.send_all(READY + frame(LAST, b"good"))
            await trio.sleep_forever()
    assert "before a HandshakeComplete" in repr(caught.value.__cause__)
    await stream.aclose()


async def test_the_wrong_type_and_the_wrong_protocol_are_refused(virtual_network: VirtualNetwork) -> None:
    async with two_hosts(virtual_network) as (a, b):
        pull = b.socket(triomq.PULL)
        monitor = pull.monitor()
        endpoint = await pull.bind("framed://*:5555")
        for wrong, target in ((triomq.SUB, endpoint), (triomq.PUSH, endpoint.replace("framed", "tcp"))):
            socket = a.socket(wrong)
            socket.connect(target)
            while not isinstance(event := await monitor.receive(), triomq.HandshakeFailed):
                pass
            assert isinstance(event.error, triomq.RemoteProtocolError)
            await socket.aclose()
        assert pull.peers == ()


async def test_on_the_real_tcp() -> None:
    async with triomq.open_context(transports=CARRIERS) as ctx:
        with trio.fail_after(30):
            router, dealer = ctx.socket(triomq.ROUTER), ctx.socket(triomq.DEALER, routing_id=b"me")
            endpoint = await router.bind("framed://127.0.0.1:0")
            assert endpoint.startswith("framed://127.0.0.1:")
            dealer.connect(endpoint)
            for size in (1, 300, 100_000, 3_000_000):
                await dealer.send([b"x" * size, b""])
                await router.send(await router.receive())
                assert await dealer.receive() == (b"x" * size, b"")
