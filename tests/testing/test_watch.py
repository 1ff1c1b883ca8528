"""What sockets say of themselves is in the record of the network."""

from __future__ import annotations

import gc
import math
import weakref

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork
from triomq.testing._network._watch import Witness


async def receive_all(socket: triomq.Socket) -> None:
    async for _ in socket:
        pass


def texts(net: VirtualNetwork, kind: str) -> list[str]:
    return [happening.text for happening in net.recorder.of_kind(kind)]  # type: ignore[arg-type]


def total(net: VirtualNetwork) -> int:
    return sum(int(text.split()[2]) for text in texts(net, "dropped"))


async def test_messages_that_a_full_subscriber_costs(net: VirtualNetwork) -> None:
    net.link("pub", "slow", send_buffer=700, receive_buffer=700)
    async with net.open_context("pub") as ctx, net.open_context("slow") as other, trio.open_nursery() as nursery:
        pub = ctx.socket(triomq.PUB, send_hwm=2, linger=0)
        sub = other.socket(triomq.SUB, topics=[""], receive_hwm=2)
        sub.connect(await pub.bind("tcp://*:5555"))
        nursery.start_soon(receive_all, sub)
        await pub.wait_subscribers("", 1)
        net.pause("slow")
        for _ in range(20):
            await pub.send(bytes(300))
            await trio.sleep(0.1)
        dropped = pub.statistics().messages_dropped
        assert dropped > 10
        net.resume("slow")
        assert total(net) == dropped  # whatever happens to the host next, it is known before
        await trio.sleep(1)
        net.note("that was all", "pub")
        assert total(net) == dropped
        nursery.cancel_scope.cancel()
    assert texts(net, "dropped")[0] == f"PUB dropped {dropped} messages in the last 1.8 s"
    assert "PUB dropped" in net.diagram().text()


async def test_messages_that_are_never_sent(net: VirtualNetwork) -> None:
    net.link("a", "b")
    async with net.open_context("a") as ctx:
        push = ctx.socket(triomq.PUSH, linger=0)
        push.connect("tcp://b:5555")
        await push.send_many([b"x"] * 5)
        await trio.sleep(0.01)
    assert texts(net, "dropped") == ["PUSH dropped 5 messages in the last 8 ms"]


async def test_a_crash_drops_without_a_word(net: VirtualNetwork) -> None:
    net.link("a", "b")
    async with net.open_context("a") as ctx:
        push = ctx.socket(triomq.PUSH, linger=0)
        push.connect("tcp://b:5555")
        await push.send(b"x")
        await trio.sleep(0.01)
        net.crash("a")
        await trio.sleep(1)
    assert texts(net, "dropped") == []
    assert texts(net, "disconnected") == []


async def test_when_the_next_attempt_is(net: VirtualNetwork) -> None:
    net.link("a", "b")
    async with net.open_context("a") as ctx:
        sockets = [ctx.socket(triomq.PUSH, reconnect_interval=1.0) for _ in range(2)]
        for socket in sockets:
            socket.connect("tcp://b:5555")
        await trio.sleep(0.01)
    planned = texts(net, "retry planned")
    assert len(planned) == 2
    assert all(text.startswith("again in ") and text.endswith(": PUSH, tcp://b:5555") for text in planned)
    assert net.diagram().text().count("refused, again in") == 2


async def test_where_there_is_no_further_attempt_that_is_said(net: VirtualNetwork) -> None:
    net.link("a", "b")
    async with net.open_context("a") as ctx:
        push = ctx.socket(triomq.PUSH, reconnect_interval=math.inf, connect="tcp://b:5555")
        await trio.sleep(1)
        await push.aclose()
    assert texts(net, "retry planned") == ["never again: PUSH, tcp://b:5555"]
    assert "refused, never again" in net.diagram().text()


async def test_why_a_handshake_failed_and_a_peer_was_given_up(net: VirtualNetwork) -> None:
    async with net.open_context("a") as ctx, net.open_context("b") as other:
        pull = other.socket(triomq.PULL)
        wrong = ctx.socket(triomq.SUB)
        wrong.connect(await pull.bind("tcp://*:5555"))
        await trio.sleep(0.01)
        await wrong.aclose()
        assert any("SUB does not talk to PULL" in text for text in texts(net, "handshake failed"))
        push = ctx.socket(triomq.PUSH, heartbeat_interval=1)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        net.pause("b")
        await trio.sleep(5)
        assert [text.partition(" within ")[0] for text in texts(net, "disconnected")] == [
            "PUSH, nothing from tcp://b:5555"
        ]
        net.resume("b")


async def test_a_drop_is_known_at_the_next_happening_however_many_peers_there_are(net: VirtualNetwork) -> None:
    async with net.open_context("hub") as ctx, net.open_context("b") as other:
        router = ctx.socket(triomq.ROUTER)
        endpoint = await router.bind("tcp://*:5555")
        dealers = [other.socket(triomq.DEALER, routing_id=b"%d" % number) for number in range(200)]
        for dealer in dealers:
            dealer.connect(endpoint)
        await router.wait_peers(200)
        for number in range(1, 6):
            await trio.sleep(0.01)
            net.note("before", "hub")
            await router.send([b"nobody", b"x"])
            await trio.sleep(0.01)
            net.note("after", "hub")
            kinds = [happening.kind for happening in net.recorder.events if happening.kind != "socket event"]
            assert kinds[-3:] == ["note", "dropped", "note"]
            assert texts(net, "dropped") == ["ROUTER dropped 1 message in the last 10 ms"] * number


async def test_a_context_that_lingers_is_watched_when_another_one_of_its_host_is_left(net: VirtualNetwork) -> None:
    for host in "b", "c":
        net.link("a", host, send_buffer=100, receive_buffer=100)

    async def pull(ctx: triomq.Context) -> None:
        pull = ctx.socket(triomq.PULL)
        pull.connect("tcp://a:5555")
        await trio.sleep_forever()

    async def push_and_linger() -> None:
        async with net.open_context("a") as ctx:
            push = ctx.socket(triomq.PUSH, linger=60)
            await push.bind("tcp://*:5555")
            await push.wait_peers(2)
            net.pause("b")
            net.pause("c")
            await push.send_many([bytes(100)] * 20)

    async with trio.open_nursery() as nursery:
        for host in "b", "c":
            nursery.start_soon(net.run_on, host, pull)
        nursery.start_soon(push_and_linger)
        await trio.sleep(1)
        async with net.open_context("a"):
            pass
        net.crash("b", how="process")
        await trio.sleep(1)
        net.note("still lingering", "a")
        assert len(texts(net, "dropped")) == 1
        nursery.cancel_scope.cancel()


async def test_many_sockets_of_a_host_are_not_counted_for_each_that_connects(net: VirtualNetwork, monkeypatch) -> None:
    counted = 0
    look = Witness.look

    def counting(self: Witness, sockets: tuple[triomq.Socket, ...]) -> None:
        nonlocal counted
        counted += len(sockets)
        look(self, sockets)

    monkeypatch.setattr(Witness, "look", counting)
    net.link("a", "b")
    async with net.open_context("a") as ctx:
        for _ in range(400):
            ctx.socket(triomq.PUSH, linger=0).connect("tcp://b:5555")
        await trio.sleep(0.05)
    assert len(net.recorder.of_kind("connecting")) >= 400
    assert 400 < counted < 20_000  # with all the others for each of them it would be 80,000 and more


@pytest.mark.parametrize("closes", ["itself", "with its context", "in a crash"])
async def test_the_watch_keeps_nothing_alive(net: VirtualNetwork, closes: str) -> None:
    gc.collect()
    gc.disable()
    try:
        async with net.open_context("a") as ctx:
            socket = ctx.socket(triomq.PUSH, linger=0)
            socket.connect("tcp://a:5555")
            gone = weakref.ref(socket)
            await trio.sleep(0.5)
            if closes == "itself":
                await socket.aclose()
            elif closes == "in a crash":
                net.crash("a")
            del socket
        del ctx
        await trio.sleep(0.5)
        assert gone() is None
    finally:
        gc.enable()
