"""When a connecting socket dials again, and what it does not send again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

import triomq
from triomq._connections._redial import is_near
from triomq.testing import VirtualNetwork, VirtualStream
from triomq.testing._network import VirtualListener

from ..hostile.raw import GREETING, command, frame, ready
from ..hostile.scene import until
from ..virtual import listen

Serve = Callable[[VirtualStream], Awaitable[None]]
REFUSAL = command(b"ERROR", b"\6denied")


class Server:
    """Accepts one connection after the other on host ``b``, and does with each what the test says."""

    def __init__(self, net: VirtualNetwork, serve: Serve) -> None:
        self._net = net
        self._serve = serve
        self.accepted = 0

    async def run(self, *, task_status: trio.TaskStatus[str]) -> None:
        listener: VirtualListener = await listen(self._net, "b", 5555)
        task_status.started(listener.endpoint)
        async with listener:
            while True:
                stream = await listener.accept()
                self.accepted += 1
                try:
                    await self._serve(stream)
                except trio.BrokenResourceError:
                    pass  # the socket hung up itself
                stream.close()


async def hear(stream: VirtualStream, octets: int) -> bytes:
    """At least so many octets, unless the stream ends before."""
    heard = b""
    while len(heard) < octets and (data := await stream.receive_some()):
        heard += data
    return heard


def ends_of(monitor: triomq.Monitor) -> list[Any]:
    """Every end of a connection, and every message dropped, that a monitor has by now."""
    kinds = (triomq.Disconnected, triomq.HandshakeFailed, triomq.MessageDropped)
    events = []
    while True:
        try:
            event = monitor.receive_nowait()
        except trio.WouldBlock:
            return events
        if isinstance(event, kinds):
            events.append(event)


# -- the back-off ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        b"",
        GREETING,
        GREETING + ready("PULL"),
        GREETING + ready("PULL") + REFUSAL,
        GREETING + REFUSAL,
        GREETING + ready("PUB"),
    ],
    ids=["nothing", "greeting", "READY", "READY, ERROR", "ERROR", "wrong type"],
)
@pytest.mark.parametrize("queued", [0, 1])
async def test_who_hangs_up_before_anything_was_carried_is_not_hammered(
    words: bytes, queued: int, virtual_network: VirtualNetwork
) -> None:
    """Whatever it has said before; and for ever there is a next attempt."""

    async def serve(stream: VirtualStream) -> None:
        await stream.send_all(words)
        await hear(stream, len(GREETING) + len(ready("PUSH")) if b"READY" in words and b"PUB" not in words else 64)

    net = virtual_network
    async with net.open_context("a") as ctx, trio.open_nursery() as nursery:
        server = Server(net, serve)
        await nursery.start(server.run)
        push = ctx.socket(triomq.PUSH, linger=0, send_hwm=1)
        monitor = push.monitor()
        push.connect("tcp://b:5555")
        for _ in range(queued):
            push.send_nowait(bytes(10_000_000))
        await trio.sleep(600)
        assert 2 <= server.accepted < 100
        before = server.accepted
        await trio.sleep(600)
        assert before < server.accepted < before + 100
        assert all(end.retry_in is not None for end in ends_of(monitor) if not isinstance(end, triomq.MessageDropped))
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("how", ["ERROR", "READY, ERROR", "wrong type", "we refuse"])
async def test_a_refused_socket_comes_back_slowly_and_gets_in_when_that_is_mended(
    how: str, virtual_network: VirtualNetwork
) -> None:
    """The waits are 5 s at least, grow to 5 minutes, and the event says how long each is."""
    words = {"ERROR": GREETING + REFUSAL, "READY, ERROR": GREETING + ready("PULL") + REFUSAL}
    net = virtual_network
    async with net.open_context("a") as ctx, net.open_context("b") as there, trio.open_nursery() as nursery:
        push = ctx.socket(triomq.PUSH)
        monitor = push.monitor()
        push.connect("tcp://b:5555")

        async def serve(stream: VirtualStream) -> None:
            await stream.send_all(words.get(how, GREETING + ready("PUB")))
            await hear(stream, len(GREETING) + len(ready("PUSH")))

        with trio.CancelScope() as deployed:
            server = Server(net, serve)
            await nursery.start(server.run)
            await trio.sleep(3600)
        del deployed
        ends = [end for end in ends_of(monitor) if isinstance(end.error, triomq.RemoteProtocolError)]
        waits = [end.retry_in for end in ends]
        assert 5 <= min(waits) <= 10
        assert 150 <= max(waits[6:]) <= 300
        assert server.accepted < 40
        nursery.cancel_scope.cancel()
    async with net.open_context("a") as ctx, net.open_context("b") as there:
        push = ctx.socket(triomq.PUSH)
        push.connect("tcp://b:5555")
        await push.send(b"kept")
        wrong = there.socket(triomq.PUB)
        await wrong.bind("tcp://*:5555")
        await trio.sleep(3600)
        await wrong.aclose()
        pull = there.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        with trio.fail_after(301):
            assert await pull.receive() == (b"kept",)


async def test_the_peers_own_words_are_the_reason(virtual_network: VirtualNetwork) -> None:
    """An ERROR after READY, and a connection that is closed or reset behind it: one and the same end."""
    net = virtual_network
    async with net.open_context("a") as ctx, trio.open_nursery() as nursery:

        async def serve(stream: VirtualStream) -> None:
            await stream.send_all(GREETING + ready("PULL"))
            await hear(stream, len(GREETING) + len(ready("PUSH")))
            await stream.send_all(REFUSAL)
            await trio.sleep(1)  # so that it closes with the message unread, which resets the connection

        await nursery.start(Server(net, serve).run)
        push = ctx.socket(triomq.PUSH, linger=0)
        monitor = push.monitor()
        push.connect("tcp://b:5555")
        await push.wait_peers()
        await trio.sleep(0.5)
        push.send_nowait(bytes(100))
        await trio.sleep(5)
        end = ends_of(monitor)[0]
        assert isinstance(end.error, triomq.RefusedByPeerError)
        assert str(end.error) == "the peer ended the connection: denied"
        nursery.cancel_scope.cancel()


async def test_an_answered_heartbeat_is_something_carried(virtual_network: VirtualNetwork) -> None:
    """A subscriber that has not received anything yet comes back at once if its connection was alive."""
    net = virtual_network
    async with net.open_context("a") as ctx, net.open_context("b") as there:
        sub = ctx.socket(triomq.SUB, topics=[b""], heartbeat_interval=0.5)
        monitor = sub.monitor()
        sub.connect("tcp://b:5555")
        await trio.sleep(60)
        pub = there.socket(triomq.PUB)
        await pub.bind("tcp://*:5555")
        await sub.wait_peers()
        await trio.sleep(2)
        await pub.aclose()
        await trio.sleep(0.01)
        assert ends_of(monitor)[-1].retry_in <= 0.1


@pytest.mark.parametrize(
    ("endpoint", "near"),
    [
        ("tcp://127.0.0.1:1", True), ("tcp://127.1.2.3:1", True), ("tcp://localhost:1", True), ("tcp://[::1]:1", True),
        ("tcp://10.0.0.1:0;127.0.0.1:1", True), ("ipc:///tmp/feed", True), ("ipc://@feed", True),
        ("tcp://10.0.0.1:1", False), ("tcp://127.example.org:1", False), ("tcp://[2001:db8::1]:1", False),
        ("tcp://localhost.example.org:1", False), ("mine://localhost:1", False),
    ],
)  # fmt: skip
def test_what_is_near(endpoint: str, near: bool) -> None:
    assert is_near(endpoint) is near


@pytest.mark.parametrize(("endpoint", "bound"), [("tcp://localhost:5555", 1), ("ipc:///x", 1), ("tcp://b:5555", 30)])
@pytest.mark.parametrize("given", [None, 7])
async def test_the_bound_of_the_waits(
    endpoint: str, bound: float, given: float | None, virtual_network: VirtualNetwork
) -> None:
    """A second on this machine, unless the user says something else; with jitter."""
    net = virtual_network
    net.link("a", "b")
    async with net.open_context("a") as ctx:
        push = ctx.socket(triomq.PUSH, linger=0, reconnect_interval_max=given)
        monitor = push.monitor(10_000)
        push.connect(endpoint)
        await trio.sleep(2000)
        waits = []
        with pytest.raises(trio.WouldBlock):
            while True:
                waits.append(monitor.receive_nowait().retry_in)  # type: ignore[union-attr]
        assert 0.8 * (given or bound) < max(waits) <= (given or bound)
        assert min(waits[10:]) < 0.5 * (given or bound)


# -- a message that makes the peer hang up -----------------------------------------------------------


def large(text: bytes) -> triomq.Message:
    """A message that no kernel takes at once."""
    return triomq.Message((bytes(3_000_000), text))


@pytest.mark.parametrize("how", ["in order", "by a reset", "with an ERROR"])
async def test_a_message_at_which_the_peer_hangs_up_is_dropped_after_five_times(
    how: str, virtual_network: VirtualNetwork
) -> None:
    """It is counted and told, and what stands behind it leaves."""
    net = virtual_network
    after: list[bytes] = []
    async with net.open_context("a") as ctx, trio.open_nursery() as nursery:

        async def serve(stream: VirtualStream) -> None:
            await stream.send_all(GREETING + ready("PULL"))
            hello = len(GREETING) + len(ready("PUSH"))
            if (heard := await hear(stream, hello + 1))[hello:].startswith(frame(b"after")):
                after.append(heard[hello:])
                await trio.sleep_forever()
            if how == "in order":
                while heard:  # all that comes within a moment, so that closing is no reset
                    with trio.move_on_after(0.001) as late:
                        heard = await stream.receive_some()
                    if late.cancelled_caught:
                        break
            elif how == "with an ERROR":
                await stream.send_all(command(b"ERROR", b"\3big"))

        server = Server(net, serve)
        await nursery.start(server.run)
        push = ctx.socket(triomq.PUSH, linger=0)
        monitor = push.monitor()
        push.connect("tcp://b:5555")
        push.send_nowait(large(b"bad"))
        push.send_nowait(b"after")
        await until(lambda: bool(after))
        assert after == [frame(b"after")]
        assert server.accepted == 6
        events = ends_of(monitor)
        assert [type(event).__name__ for event in events] == ["Disconnected"] * 5 + ["MessageDropped"]
        assert events[-1].size == 3_000_003
        assert type(events[-1].error) is type(events[-2].error)
        if how == "with an ERROR":
            assert str(events[-1].error) == "the peer ended the connection: big"
        assert push.statistics().messages_dropped == 1
        nursery.cancel_scope.cancel()


async def test_what_the_peer_says_before_it_hangs_up_excuses_nothing(virtual_network: VirtualNetwork) -> None:
    """Each connection carries something whole, the other way. After five of them, the message is dropped."""
    net = virtual_network
    after = trio.Event()
    async with net.open_context("a") as ctx, trio.open_nursery() as nursery:

        async def serve(stream: VirtualStream) -> None:
            await stream.send_all(GREETING + ready("DEALER") + frame(b"hello"))
            heard = b""
            while len(heard) < 1000:  # then it is the large one
                heard += await stream.receive_some()
                if heard.endswith(frame(b"after")):
                    after.set()
                    await trio.sleep_forever()

        server = Server(net, serve)
        await nursery.start(server.run)
        dealer = ctx.socket(triomq.DEALER, linger=0)
        dealer.connect("tcp://b:5555")
        dealer.send_nowait(large(b"bad"))
        dealer.send_nowait(b"after")
        with trio.fail_after(60):
            await after.wait()
        assert server.accepted == 6
        assert dealer.statistics().messages_dropped == 1
        nursery.cancel_scope.cancel()


async def test_two_such_messages_are_dropped_one_after_the_other(virtual_network: VirtualNetwork) -> None:
    """Each has its five times; a good one between them is delivered once."""
    net = virtual_network
    async with net.open_context("a") as ctx, net.open_context("b") as there:
        pull = there.socket(triomq.PULL, max_message_size=1000, receive_buffer=5000)
        failed = pull.monitor(1000)
        await pull.bind("tcp://*:5555")
        push = ctx.socket(triomq.PUSH, linger=0, send_buffer=5000)
        monitor = push.monitor(1000)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        for message in (b"1", large(b"bad"), b"2", large(b"worse"), b"3"):
            await push.send(message)
        with trio.fail_after(120):
            assert [bytes(await pull.receive()) for _ in range(3)] == [b"1", b"2", b"3"]
        events = ends_of(monitor)
        assert [event.size for event in events if isinstance(event, triomq.MessageDropped)] == [3_000_003, 3_000_005]
        here = [event for event in ends_of(failed) if isinstance(event, triomq.Disconnected)]
        assert "1000 are allowed (max_message_size)" in str(here[0].error)
        told = [event for event in events if isinstance(event.error, triomq.RefusedByPeerError)]
        assert told
        assert "1000 are allowed (max_message_size)" in str(told[0].error)


async def test_a_network_that_breaks_again_and_again_loses_no_message(virtual_network: VirtualNetwork) -> None:
    """Three resets in a row at one message, and a silence, three times over: it is sent once more."""
    net = virtual_network
    net.link("a", "b", bandwidth=100_000.0)
    async with net.open_context("a") as ctx, net.open_context("b") as there:
        pull = there.socket(triomq.PULL, heartbeat_interval=1.0)
        await pull.bind("tcp://*:5555")
        push = ctx.socket(triomq.PUSH, heartbeat_interval=1.0)
        monitor = push.monitor()
        push.connect("tcp://b:5555")
        await push.send(large(b"kept"))
        for number in range(12):
            await push.wait_peers()
            await trio.sleep(1)
            net.cut("a", "b", how="black hole" if number % 4 == 3 else "reset")
            await until(lambda: not push.peers)
        with trio.fail_after(60):
            assert (await pull.receive())[1] == b"kept"
        assert not [event for event in ends_of(monitor) if isinstance(event, triomq.MessageDropped)]


@pytest.mark.parametrize("heard", [0, 10, 40])
async def test_who_hangs_up_in_the_greeting_gets_it_in_pieces(virtual_network: VirtualNetwork, heard: int) -> None:
    """It may want another mechanism, and tell which; and if it hangs up again, that was not why."""
    first_words = []

    async def hang_up(stream: VirtualStream) -> None:
        await stream.send_all(GREETING[:heard])
        first_words.append(await hear(stream, 12))

    server = Server(virtual_network, hang_up)
    async with trio.open_nursery() as nursery, virtual_network.open_context("a") as ctx:
        endpoint = await nursery.start(server.run)
        async with ctx.socket(triomq.PUSH, linger=0) as push:
            push.connect(endpoint)
            await until(lambda: len(first_words) == 4)
        nursery.cancel_scope.cancel(reason="the test is over")
    assert [len(words) for words in first_words] == [64, 12, 64, 12]


async def test_a_mechanism_that_differs_is_found_out_and_seldom_tried_again(virtual_network: VirtualNetwork) -> None:
    """As by a libzmq, which hangs up when it is told another mechanism than its own."""
    told = GREETING.replace(b"NULL\0", b"PLAIN")

    async def hang_up(stream: VirtualStream) -> None:
        await stream.send_all(told[:10])
        if len(await hear(stream, 11)) == 12:
            await stream.send_all(told[10:])
            await hear(stream, 64)

    server = Server(virtual_network, hang_up)
    async with trio.open_nursery() as nursery, virtual_network.open_context("a") as ctx:
        push = ctx.socket(triomq.PUSH, linger=0)
        push.connect(await nursery.start(server.run))
        with pytest.raises(triomq.HandshakeRefusedError, match="wants mechanism") as caught:
            await push.wait_peers()
        assert isinstance(caught.value.__cause__, triomq.MechanismMismatchError)
        assert server.accepted == 2
        await trio.sleep(3600)
        nursery.cancel_scope.cancel(reason="the test is over")
    assert server.accepted < 40
