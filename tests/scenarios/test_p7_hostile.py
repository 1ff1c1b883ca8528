"""Promise 7: what a peer says harms nobody but itself, and every fault is an event with a reason."""

from __future__ import annotations

from functools import partial

import pytest
import trio

import triomq

from ..monitors import next_event
from .actors import bound_pull, drain, echo, number, receive_into
from .liar import GREETING, claim, dial, frame, hear_end, ready, say, tcp
from .promises import promise

pytestmark = pytest.mark.virtual_seeds(4)


@promise(7)
async def test_a_peer_that_says_anything_at_all(net, rough, dice) -> None:
    rough("a", "b")
    async with trio.open_nursery() as nursery, net.open_context("a") as ctx, net.open_context("b") as there:
        pull = there.socket(triomq.PULL, max_message_size=1000, handshake_timeout=1.0)
        await pull.bind("tcp://*:5555")

        async def attack() -> None:
            while True:
                async with dial(net, "evil", "b:5555") as stream:
                    beginning = dice.choice([b"", GREETING, GREETING + b"\4\x26\5READY", GREETING + ready(b"PUSH")])
                    await say(stream, beginning + dice.randbytes(99))
                    with trio.move_on_after(dice.uniform(0, 3)):
                        await hear_end(stream)
                await trio.sleep(dice.uniform(0, 0.2))

        push = ctx.socket(triomq.PUSH)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        nursery.start_soon(attack)
        for one in range(100):
            await push.send([b"good", b"%d" % one])
            await trio.sleep(0.1)
        received = [message for message in await drain(pull, 10.0) if message[0] == b"good"]
        nursery.cancel_scope.cancel()
    assert received == [(b"good", b"%d" % one) for one in range(100)]


@promise(7, 4)
async def test_those_who_never_finish_their_handshake_keep_nobody_out(net, dice) -> None:
    """An octet now and then, or nothing: each is dropped in time, and told of; peers that mean it come in."""
    timeout = dice.uniform(1, 5)
    events: list[triomq.MonitorEvent] = []
    async with trio.open_nursery() as nursery, net.open_context("b") as ctx:
        pull = ctx.socket(triomq.PULL, handshake_timeout=timeout, max_handshakes=20)

        async def watch(monitor: triomq.Monitor) -> None:
            async for event in monitor:
                events.append(event)

        nursery.start_soon(watch, pull.monitor())
        await pull.bind("tcp://*:5555")

        async def loris() -> None:
            words = (GREETING + ready(b"PUSH"))[: dice.randrange(90)]
            async with dial(net, "evil", "b:5555") as stream:
                start = trio.current_time()
                for octet in words:
                    if not await say(stream, bytes((octet,))):
                        break
                    with trio.move_on_after(dice.uniform(0, 0.3)):
                        await hear_end(stream)
                        break
                else:
                    await hear_end(stream)
                lasted.append(trio.current_time() - start)

        lasted: list[float] = []
        async with trio.open_nursery() as crowd:
            for _ in range(15):
                crowd.start_soon(loris)
                await trio.sleep(dice.uniform(0, timeout / 4))
            async with net.open_context("a") as here:
                push = here.socket(triomq.PUSH)
                push.connect("tcp://b:5555")
                with trio.fail_after(1):
                    await push.wait_peers()
                await push.send(b"1")
                with trio.fail_after(1):
                    assert number(await pull.receive()) == 1
        assert max(lasted) < timeout + 0.1
        await trio.sleep(1)
        failed = [event for event in events if isinstance(event, triomq.HandshakeFailed)]
        assert len(failed) == 15
        assert all(isinstance(event.error, trio.TooSlowError) for event in failed)
        nursery.cancel_scope.cancel()


@promise(7, 3)
async def test_who_claims_too_much_is_dropped_by_the_claim_alone(net, rough, dice) -> None:
    """Before a single octet of the body is there; good peers' messages up to the limit come through, in order."""
    rough("a", "b")
    async with trio.open_nursery() as nursery, net.open_context("b") as there, net.open_context("a") as here:
        pull = there.socket(triomq.PULL, max_message_size=1000)
        monitor = pull.monitor()
        await pull.bind("tcp://*:5555")
        push = here.socket(triomq.PUSH)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        sizes = [dice.choice([0, 1, 255, 999, 1000]) for _ in range(50)]

        async def send_all() -> None:
            for size in sizes:
                await push.send(bytes(size))
                await trio.sleep(0.1)

        nursery.start_soon(send_all)
        await next_event(monitor, triomq.HandshakeSucceeded)
        for _ in range(8):
            async with dial(net, "evil", "b:5555") as stream:
                pieces = dice.choice(
                    [
                        [claim(1001)],
                        [claim(2**63 - 1)],
                        [claim(2**64 - 1)],
                        [frame(b"x" * 200, 1)] * 6,  # parts count together
                        [frame(b"", 1), claim(1001)],
                        [claim(2**62, 4)],  # a command
                    ]
                )
                assert await say(stream, GREETING, ready(b"PUSH"))
                await say(stream, *pieces)
                with trio.fail_after(5):
                    await hear_end(stream)
            event = await next_event(monitor, triomq.Disconnected)
            assert isinstance(event.error, triomq.RemoteProtocolError)
            assert "evil" in event.address
        assert [len(message[0]) for message in await drain(pull)] == sizes
        assert len(push.peers) == 1
        nursery.cancel_scope.cancel()


@promise(7, 5)
async def test_sockets_that_do_not_fit_are_refused_and_the_rest_go_on(net, rough, dice) -> None:
    """A SUB at a PULL: both sides are told why, the SUB does not come again and again, and the PUSH is served."""
    rough("a", "b", "c")
    received: list[int] = []
    async with trio.open_nursery() as nursery, net.open_context("b") as there, net.open_context("c") as elsewhere:
        pull = there.socket(triomq.PULL)
        monitor = pull.monitor()
        await pull.bind("tcp://*:5555")
        nursery.start_soon(receive_into, pull, received)
        kind = dice.choice([triomq.SUB, triomq.REQ, triomq.ROUTER, triomq.PAIR, triomq.PUB, triomq.PULL])
        wrong = elsewhere.socket(kind)
        told = wrong.monitor()
        wrong.connect("tcp://b:5555")
        here = await next_event(monitor, triomq.HandshakeFailed)
        assert isinstance(here.error, triomq.RemoteProtocolError)
        assert kind.socket_type in str(here.error)
        event = await next_event(told, triomq.HandshakeFailed)
        assert isinstance(event.error, triomq.RemoteProtocolError)
        async with net.open_context("a") as ctx:
            push = ctx.socket(triomq.PUSH, linger=100)
            push.connect("tcp://b:5555")
            for one in range(20):
                await push.send(b"%d" % one)
        await trio.sleep(1000)
        attempts = [event for event in net.recorder.of_kind("connecting") if event.host == "c"]
        assert len(attempts) < 100  # 1000 s by bounds of 30 s
        assert wrong.peers == ()
        nursery.cancel_scope.cancel()
    assert received == list(range(20))


@promise(7, 5)
@pytest.mark.parametrize("fault", ["reset", "process", "black hole", "garbage", "silence", "refused", "partition"])
async def test_every_fault_is_an_event_with_a_reason(net, dice, fault) -> None:
    async with trio.open_nursery() as nursery, net.open_context("a") as ctx:
        push = ctx.socket(
            triomq.PUSH, heartbeat_interval=1.0, handshake_timeout=3.0, connect_timeout=5.0, reconnect_interval=0.5
        )
        monitor = push.monitor()
        if fault in ("garbage", "silence"):
            nursery.start_soon(lie, net, dice.randbytes(100) if fault == "garbage" else b"")
        elif fault == "refused":
            net.link("a", "b")
        else:
            nursery.start_soon(net.run_on, "b", bound_pull, [])
        if fault == "partition":
            net.partition("a", "b")
        await trio.sleep(1)
        push.connect("tcp://b:5555")
        if fault in ("reset", "process", "black hole"):
            await push.wait_peers()
            await trio.sleep(dice.uniform(0, 30))
            {
                "reset": partial(net.cut, "a", "b"),
                "process": partial(net.crash, "b", how="process"),
                "black hole": partial(net.cut, "a", "b", how="black hole"),
            }[fault]()
        kind, reason = {
            "reset": (triomq.Disconnected, trio.BrokenResourceError),
            "process": (triomq.Disconnected, type(None)),
            "black hole": (triomq.Disconnected, triomq.SilentPeerError),
            "garbage": (triomq.HandshakeFailed, triomq.RemoteProtocolError),
            "silence": (triomq.HandshakeFailed, trio.TooSlowError),
            "refused": (triomq.ConnectFailed, ConnectionRefusedError),
            "partition": (triomq.ConnectFailed, trio.TooSlowError),
        }[fault]
        with trio.fail_after(10):
            event = await next_event(monitor, kind)
        assert isinstance(event.error, reason)
        assert event.endpoint == "tcp://b:5555"
        assert event.error is None or str(event.error)
        with trio.fail_after(40):  # and that another attempt is made is told as well
            assert await monitor.receive()
        nursery.cancel_scope.cancel()


async def lie(net, words: bytes) -> None:
    """Be a server that says something else than a greeting, and then nothing."""
    listener = await tcp(net, "b").listen("*:5555", triomq.Options())
    streams = []
    try:
        while True:
            streams.append(await listener.accept())
            await say(streams[-1], words)
    finally:
        for stream in streams:
            stream.close()
        listener.close()


@promise(7, 2)
async def test_requests_without_an_envelope_are_dropped_and_the_others_answered(net, rough, dice) -> None:
    rough("client", "server")
    async with trio.open_nursery() as nursery, net.open_context("client") as ctx:
        nursery.start_soon(net.run_on, "server", echo)

        async def attack() -> None:
            async with dial(net, "evil", "server:5555") as stream:
                await say(stream, GREETING, ready(dice.choice([b"REQ", b"DEALER"])))
                while True:
                    parts = [dice.choice([b"", b"x", dice.randbytes(20)]) for _ in range(dice.randrange(1, 5))]
                    octets = [frame(part, 1) for part in parts[:-1]] + [frame(parts[-1])]
                    if not await say(stream, *octets):
                        return
                    await trio.sleep(dice.uniform(0, 0.2))

        req = ctx.socket(triomq.REQ)
        req.connect("tcp://server:5555")
        await req.wait_peers()
        nursery.start_soon(attack)
        for one in range(40):
            with trio.fail_after(30):
                assert await req.request([b"%d" % one, b"more"]) == (b"reply", b"%d" % one, b"more")
        nursery.cancel_scope.cancel()


@promise(7, 3)
async def test_a_publisher_that_lies_to_a_subscriber_of_two(net, rough, dice) -> None:
    """Topics nobody asked for, empty messages, odd commands: only what was subscribed to is received."""
    rough("good", "sub")
    received: list[triomq.Message] = []
    async with trio.open_nursery() as nursery, net.open_context("good") as here, net.open_context("sub") as there:
        pub = here.socket(triomq.PUB)
        await pub.bind("tcp://*:5555")
        sub = there.socket(triomq.SUB, topics=["news"], max_message_size=1000)
        sub.connect("tcp://good:5555")

        async def lie_for_ever() -> None:
            listener = await tcp(net, "evil").listen("*:5555", triomq.Options())
            try:
                while True:
                    stream = await listener.accept()
                    try:
                        await say(stream, GREETING, ready(dice.choice([b"PUB", b"XPUB"])))
                        for _ in range(dice.randrange(20)):
                            word = dice.choice(
                                [frame(b"new"), frame(b""), frame(b"noise", 1) + frame(b"x"), frame(b"\4PING\0\0", 4),
                                 frame(b"\x09SUBSCRIBEnews", 4), frame(b"\5ODDLY", 4), claim(5000), b"\xff"]
                            )  # fmt: skip
                            if not await say(stream, word):
                                break
                            await trio.sleep(0.1)
                    finally:
                        stream.close()
            finally:
                listener.close()

        nursery.start_soon(lie_for_ever)
        await trio.sleep(0.1)
        sub.connect("tcp://evil:5555")
        await pub.wait_subscribers("news")

        async def collect() -> None:
            async for message in sub:
                received.append(message)

        nursery.start_soon(collect)
        for one in range(60):
            await pub.send([b"news", b"%d" % one])
            await trio.sleep(0.2)
        await trio.sleep(30)
        nursery.cancel_scope.cancel()
    assert received == [(b"news", b"%d" % one) for one in range(60)]


@promise(7, 4)
async def test_a_peer_that_floods_and_never_reads_has_no_more_than_its_share(net, dice) -> None:
    """The inbox of a flooding peer is bounded by the HWM, and its neighbour's messages come every other time."""
    async with trio.open_nursery() as nursery, net.open_context("b") as there, net.open_context("a") as here:
        router = there.socket(triomq.ROUTER, hwm=10)
        await router.bind("tcp://*:5555")

        async def flood() -> None:
            async with dial(net, "evil", "b:5555") as stream:
                await say(stream, GREETING, ready(b"DEALER"))
                while await say(stream, frame(b"x" * 100) * 50):
                    pass

        nursery.start_soon(flood)
        await router.wait_peers()
        dealer = here.socket(triomq.DEALER, routing_id=b"good")
        dealer.connect("tcp://b:5555")
        await dealer.wait_peers()
        await dealer.send_many(b"%d" % one for one in range(30))
        await trio.sleep(5)
        good = taken = 0
        while good < 30:
            taken += 1
            routing_id, body = await router.receive()
            if routing_id == b"good":
                assert int(body) == good
                good += 1
            else:
                await router.send([routing_id, bytes(1000)])  # which is never read
            assert all(peer.receive_queue <= 10 + 1 and peer.send_queue <= 10 for peer in router.statistics().peers)
            await trio.sleep(dice.uniform(0, 0.1))
        assert taken < 65
        nursery.cancel_scope.cancel()
