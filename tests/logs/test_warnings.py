"""The lines that everybody sees: what is wrong, said once, with the socket, the peer and the reason.

Each text here was read by a person. Read it again before you change one.
"""

from __future__ import annotations

import trio
import trio.lowlevel
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from ..sockets.played import PlayedPeer
from ..virtual import dial
from .lines import written


async def test_a_socket_that_is_connected_to_the_wrong_type(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    with written() as lines:
        async with net.open_context("sink") as there, net.open_context("feed") as here:
            pull = there.socket(triomq.PULL, name="sink")
            await pull.bind("tcp://*:5555")
            pub = here.socket(triomq.PUB, reconnect_interval_max=1)
            pub.connect("tcp://sink:5555")
            await trio.sleep(5)
            assert sorted(text.partition("; next")[0] for text in lines.texts()) == [
                "WARNING triomq: PUB tcp://sink:5555: turned away the peer: PUB does not talk to PULL; it talks to "
                "SUB, XSUB",
                "WARNING triomq: PULL 'sink' tcp://sink:5555: turned away feed:49152: PULL does not talk to PUB; it "
                "talks to PUSH",
            ]
            await trio.sleep(3600)  # it comes again and again
            some = lines.texts()
            assert 0 < len(some) <= 2 * 60
            await pub.aclose()
            await pull.aclose()


async def test_a_peer_that_says_why_it_refuses_us(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        with written() as lines:
            pull = ctx.socket(triomq.PULL, max_message_size=10)
            push = ctx.socket(triomq.PUSH)
            endpoint = await pull.bind("tcp://127.0.0.1:0")
            push.connect(endpoint)
            await push.send(bytes(11))
            await trio.sleep(0.005)
            here, there = sorted(text.partition("; next")[0] for text in lines.texts()[:2])
        limit = "a message of 11 octets or more; 10 are allowed (max_message_size)"
        assert here == f"WARNING triomq: PULL {endpoint}: disconnected PUSH at localhost:49153: {limit}"
        assert there == f"WARNING triomq: PUSH {endpoint}: disconnected by PULL at localhost:49152: {limit}"


async def test_a_stranger(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        pull = ctx.socket(triomq.PULL)
        endpoint = await pull.bind("tcp://127.0.0.1:0")
        with written() as lines:
            stream = await dial(virtual_network, endpoint)
            await stream.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + bytes(64))
            await trio.sleep(1)
            await trio.aclose_forcefully(stream)
            (text,) = lines.texts()
        assert text.startswith(f"WARNING triomq: PULL {endpoint}: turned away ")
        assert text.endswith(": not a ZMTP 3 greeting, or ZMTP 1.0: it begins with b'GET / HT'")


async def test_whoever_looks_whether_the_port_is_open_is_no_news(virtual_network: VirtualNetwork) -> None:
    """As orchestrators do every few seconds."""
    async with virtual_network.open_context() as ctx:
        pull = ctx.socket(triomq.PULL)
        endpoint = await pull.bind("tcp://127.0.0.1:0")
        with written() as lines:
            for _ in range(10):
                await trio.aclose_forcefully(await dial(virtual_network, endpoint))
                await trio.sleep(1)
            assert lines.texts() == []


async def test_a_name_in_use_waits_for_its_turn(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        router = ctx.socket(triomq.ROUTER, name="broker")
        endpoint = await router.bind("inproc://it")
        first, second = (ctx.socket(triomq.DEALER, routing_id=b"worker-1") for _ in range(2))
        first.connect(endpoint)
        with written() as lines:
            second.connect(endpoint)
            assert lines.texts() == [
                "WARNING triomq: DEALER inproc://it: a ROUTER has to wait for its turn: the routing id b'worker-1' is "
                "in use; router_handover would pass it on",
                "WARNING triomq: ROUTER 'broker' inproc://it: a DEALER (routing id 'worker-1') has to wait for its "
                "turn: the routing id b'worker-1' is in use; router_handover would pass it on",
            ]


async def test_messages_that_linger_gives_up(virtual_network: VirtualNetwork) -> None:
    net = virtual_network
    async with net.open_context() as ctx, PlayedPeer(net, "PULL") as peer:
        with written() as lines:
            push = ctx.socket(triomq.PUSH, linger=1)
            push.connect("tcp://nobody:5555")
            await push.send_many([b"x"] * 836)
            await push.aclose()
            assert lines.texts() == [
                "WARNING triomq: PUSH tcp://nobody:5555: 836 messages were not sent within linger=1 s, and are "
                "dropped: nobody was connected"
            ]
            push = ctx.socket(triomq.PUSH, linger=0.5, name="jobs")
            push.connect(peer.endpoint)
            await peer.greet()
            await push.wait_peers()
            await push.send(bytes(3_000_000))
            await push.aclose()
            assert lines.texts() == [
                f"WARNING triomq: PUSH 'jobs' {peer.endpoint}: 1 message for a PULL was not sent within linger=0.5 s, "
                "and is dropped"
            ]


async def test_a_context_that_is_left_and_one_that_is_cancelled(virtual_network: VirtualNetwork) -> None:
    for cancelled, text in (
        (False, "2 messages were not sent within linger=1 s, and are dropped: nobody was connected"),
        (True, "2 messages were not sent before closing was cancelled, and are dropped: nobody was connected"),
    ):
        with written() as lines, trio.CancelScope() as scope:
            async with virtual_network.open_context() as ctx:
                push = ctx.socket(triomq.PUSH)
                push.connect("tcp://nobody:5555")
                await push.send_many([b"x"] * 2)
                if cancelled:
                    scope.cancel()
        assert lines.texts() == [f"WARNING triomq: PUSH tcp://nobody:5555: {text}"]


async def test_no_linger_is_what_the_program_wants(virtual_network: VirtualNetwork) -> None:
    with written() as lines:
        async with virtual_network.open_context() as ctx:
            push = ctx.socket(triomq.PUSH, linger=0)
            push.connect("tcp://nobody:5555")
            await push.send(b"x")
    assert lines.texts() == []


async def test_disconnect_gives_up(virtual_network: VirtualNetwork) -> None:
    with written() as lines:
        async with virtual_network.open_context() as ctx:
            push = ctx.socket(triomq.PUSH, linger=2)
            push.connect("tcp://nobody:5555")
            await push.send(b"x")
            push.disconnect("tcp://nobody:5555")
            await trio.sleep(3)
            assert lines.texts() == [
                "WARNING triomq: PUSH tcp://nobody:5555: 1 message was not sent within linger=2 s after the "
                "disconnection, and is dropped: nobody was connected"
            ]


async def test_a_worker_leaves_with_its_messages(virtual_network: VirtualNetwork) -> None:
    """They could have been another worker's. A subscriber's are nobody else's, and its leaving is no fault."""
    async with virtual_network.open_context() as ctx:
        for sends, receives, expected in ((triomq.PUSH, "PULL", 1), (triomq.PUB, "SUB", 0)):
            one = ctx.socket(sends)
            endpoint = await one.bind("tcp://127.0.0.1:0")
            stream = await dial(virtual_network, endpoint)
            connection = triomq.zmtp.Connection(receives, as_server=False)
            while not connection.established:
                await stream.send_all(connection.data_to_send())
                connection.receive_data(await stream.receive_some(1000))
            await stream.send_all(connection.data_to_send())
            if receives == "SUB":
                buffers: list[bytes] = []
                connection.encode([triomq.zmtp.Subscribe(b"")], buffers)
                await stream.send_all(b"".join(buffers))
            await trio.sleep(1)
            await one.send(bytes(3_000_000))
            for _ in range(6):
                await one.send(b"x")
            with written() as lines:
                await trio.aclose_forcefully(stream)
                await trio.sleep(1)
                texts = lines.texts()
            assert len(texts) == expected
            for text in texts:
                assert text.startswith(f"WARNING triomq: PUSH {endpoint}: 7 messages for PULL at ")
                assert text.endswith(" are dropped: it has left")
            await one.aclose()


async def test_a_slow_subscriber_has_a_line_and_then_one_a_minute(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(triomq.PUB, name="prices", send_hwm=3)
        await pub.bind("inproc://prices")
        sub = ctx.socket(triomq.SUB, topics=[b""], receive_hwm=2)
        sub.connect("inproc://prices")
        await pub.wait_subscribers(b"", 1)
        start = "WARNING triomq: PUB 'prices' inproc://prices: "
        end = " for a SUB {} dropped: its queue is full (send_hwm=3)"
        with written() as lines:
            for _ in range(600):  # ten a second, for a minute
                await pub.send(b"x")
                await trio.sleep(0.1)
            assert lines.texts() == [f"{start}1 message{end.format('is')}"]
            await trio.sleep(1)
            assert lines.texts() == [f"{start}594 messages{end.format('are')}"]
            await trio.sleep(3600)
            assert lines.texts() == []
            await pub.send(b"x")
            await trio.lowlevel.checkpoint()
            await trio.testing.wait_all_tasks_blocked()
            assert lines.texts() == [f"{start}1 message{end.format('is')}"]
            await pub.send_many([b"x"] * 2)
            await sub.aclose()
            assert lines.texts() == [f"{start}2 messages{end.format('are')}"], "the rest, when it leaves"


async def test_a_request_without_an_envelope(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        rep = ctx.socket(triomq.REP)
        dealer = ctx.socket(triomq.DEALER, routing_id=b"one\n")
        dealer.connect(await rep.bind("inproc://it"))
        with written() as lines:
            await dealer.send(b"forgot the empty frame")
            await trio.testing.wait_all_tasks_blocked()
            assert lines.texts() == [
                r"WARNING triomq: REP inproc://it: 1 message from a DEALER (routing id 'one\n') is dropped: a REP "
                "wants an empty frame before the body of a request"
            ]


async def test_sockets_that_nobody_closes() -> None:
    async with triomq.open_context() as ctx:
        with written() as lines:
            held = [ctx.socket(triomq.PUSH) for _ in range(2500)]
            advice = "sockets of this context are open: close each when it is done with, or write 'async with'"
            assert lines.texts() == [f"WARNING triomq: {number} {advice}" for number in (1000, 2000)]
            del held
