"""wait_subscribed and wait_peers of a subscriber: what is published from then on arrives."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork
from triomq.zmtp import Cancel, Ping, Subscribe

from ..cancellation.kit import NOBODY
from .played import PlayedPeer

settled = trio.testing.wait_all_tasks_blocked
every_endpoint = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:5555", "inproc://it"])
SETTLING = 10e-3


def topics(events: list[Any]) -> list[bytes]:
    return [event.topic for event in events if isinstance(event, Subscribe)]


def pings(events: list[Any]) -> int:
    return sum(isinstance(event, Ping) for event in events)


class Waiting:
    """A task in one call, and whether it has returned."""

    def __init__(self, nursery: trio.Nursery, call: Any, *arguments: Any) -> None:
        self.done = False
        nursery.start_soon(self._run, call, arguments)

    async def _run(self, call: Any, arguments: tuple[Any, ...]) -> None:
        await call(*arguments)
        self.done = True


@every_endpoint
@pytest.mark.parametrize("types", [(triomq.PUB, triomq.SUB), (triomq.XPUB, triomq.XSUB)])
@pytest.mark.parametrize("call", ["wait_subscribed", "wait_peers"])
async def test_the_next_message_arrives(
    virtual_network: VirtualNetwork, endpoint: str, types: tuple[Any, Any], call: str
) -> None:
    """Though the publisher waits for nobody; whoever comes first; and again after each subscription."""
    async with virtual_network.open_context() as ctx:
        pub, sub = ctx.socket(types[0]), ctx.socket(types[1])
        sub.connect(endpoint)
        await settled()
        await pub.bind(endpoint)
        for number in range(5):
            topic = b"%d" % number
            if types[1] is triomq.SUB:
                sub.subscribe(topic)
            else:
                await sub.send(b"\1" + topic)
            await getattr(sub, call)()
            await pub.send(topic)
            assert await sub.receive() == (topic,)


async def test_it_waits_for_the_answers_of_the_publisher(virtual_network: VirtualNetwork) -> None:
    """Two PINGs behind the subscriptions, one after the other, and a moment: what libzmq needs."""
    async with PlayedPeer(virtual_network, "PUB") as pub, virtual_network.open_context() as ctx:
        sub = ctx.socket(triomq.SUB, topics=["a", "b"])
        sub.connect(pub.endpoint)
        async with trio.open_nursery() as nursery:
            waiting = Waiting(nursery, sub.wait_subscribed)
            await pub.greet()
            events = await pub.hear()
            assert topics(events) == [b"a", b"b"]
            assert isinstance(events[-1], Ping)
            await pub.answer()
            assert pings(await pub.hear()) == 1
            await pub.answer()
            assert not waiting.done
            await trio.sleep(SETTLING / 2)
            assert not waiting.done
            await trio.sleep(SETTLING)
            assert waiting.done
        with trio.testing.assert_checkpoints():
            await sub.wait_subscribed()  # nothing has changed: nobody is asked
        await sub.wait_peers()
        assert await pub.hear() == []


async def test_many_tasks_share_the_questions(virtual_network: VirtualNetwork) -> None:
    """One PING is under way at the most; who comes later waits for later ones."""
    async with PlayedPeer(virtual_network, "PUB") as pub, virtual_network.open_context() as ctx:
        sub = ctx.socket(triomq.SUB, topics=["a"])
        sub.connect(pub.endpoint)
        await pub.greet()
        async with trio.open_nursery() as nursery:
            early = Waiting(nursery, sub.wait_subscribed)
            assert pings(await pub.hear()) == 1
            sub.subscribe("b")
            late = [Waiting(nursery, sub.wait_subscribed) for _ in range(10)]
            events = await pub.hear()
            assert (topics(events), pings(events)) == ([b"b"], 0)
            for _ in range(2):
                await pub.answer()
                assert pings(await pub.hear()) == 1
            await trio.sleep(2 * SETTLING)
            assert early.done
            assert not any(one.done for one in late)
            await pub.answer()
            assert pings(await pub.hear()) == 0


async def test_a_later_subscription_is_not_waited_for(virtual_network: VirtualNetwork) -> None:
    """Nor does it keep the wait from ending; it is asked for by the next."""
    async with PlayedPeer(virtual_network, "PUB") as pub, virtual_network.open_context() as ctx:
        sub = ctx.socket(triomq.SUB, topics=["a"])
        sub.connect(pub.endpoint)
        await pub.greet()
        async with trio.open_nursery() as nursery:
            Waiting(nursery, sub.wait_subscribed)
            for number in range(2):
                await pub.hear()
                sub.subscribe(f"later {number}")
                await pub.answer()
        async with trio.open_nursery() as nursery:
            waiting = Waiting(nursery, sub.wait_subscribed)
            assert pings(await pub.hear()) == 1
            assert not waiting.done
            nursery.cancel_scope.cancel()


async def test_a_new_connection_is_asked_anew(virtual_network: VirtualNetwork) -> None:
    """The answers of the one before count no longer, though they came, and however far it had got."""
    async with PlayedPeer(virtual_network, "PUB") as pub, virtual_network.open_context() as ctx:
        sub = ctx.socket(triomq.SUB, topics=["a"], reconnect_interval=0.1)
        sub.connect(pub.endpoint)
        async with trio.open_nursery() as nursery:
            waiting = Waiting(nursery, sub.wait_subscribed)
            for answers in range(3):
                await pub.greet()
                for _ in range(answers):
                    await pub.hear()
                    await pub.answer()
                await pub.hang_up()  # the last time while it settles
                await trio.sleep(1)
                assert not waiting.done
            await pub.greet()
            for _ in range(2):
                assert pings(await pub.hear()) == 1
                await pub.answer()
            await trio.sleep(2 * SETTLING)
            assert waiting.done


async def test_several_publishers_are_waited_for(virtual_network: VirtualNetwork) -> None:
    """As many as are wanted; one that is connected and does not answer is no hindrance to those that do."""
    async with PlayedPeer(virtual_network, "PUB") as mute, virtual_network.open_context() as ctx:
        sub, pubs = ctx.socket(triomq.SUB, topics=[""]), [ctx.socket(triomq.PUB) for _ in range(2)]
        sub.connect(mute.endpoint)
        sub.connect(NOBODY)
        await mute.greet()
        sub.connect(await pubs[0].bind("tcp://127.0.0.1:0"))
        await sub.wait_subscribed()
        async with trio.open_nursery() as nursery:
            waiting = Waiting(nursery, sub.wait_subscribed, 2)
            await trio.sleep(100)
            assert not waiting.done
            sub.connect(await pubs[1].bind("inproc://it"))
            await trio.sleep(1)
            assert waiting.done
            with trio.move_on_after(100) as scope:
                await sub.wait_peers(3)
            assert scope.cancelled_caught


async def test_a_publisher_of_zmtp_3_0_is_not_asked(virtual_network: VirtualNetwork) -> None:
    """It knows no PING: all there is to wait for is that the subscriptions are written."""
    async with PlayedPeer(virtual_network, "PUB") as pub, virtual_network.open_context() as ctx:
        sub = ctx.socket(triomq.SUB, topics=["a"])
        sub.connect(pub.endpoint)
        async with trio.open_nursery() as nursery:
            waiting = Waiting(nursery, sub.wait_subscribed)
            await pub.greet(minor=0)
            assert await pub.hear() == [triomq.Message([b"\1a"])]
            await trio.sleep(2 * SETTLING)
            assert waiting.done


async def test_a_publisher_of_zmtp_3_0_that_reads_nothing_is_waited_for(virtual_network: VirtualNetwork) -> None:
    async with PlayedPeer(virtual_network, "PUB") as pub, virtual_network.open_context() as ctx:
        sub = ctx.socket(triomq.SUB)
        sub.connect(pub.endpoint)
        await pub.greet(minor=0)
        for number in range(100):
            sub.subscribe(b"%d" % number + bytes(10_000))
        async with trio.open_nursery() as nursery:
            waiting = Waiting(nursery, sub.wait_subscribed)
            await trio.sleep(1)
            assert not waiting.done
            received = 0
            while received < 100:
                received += len(await pub.hear())
            await trio.sleep(2 * SETTLING)
            assert waiting.done


@every_endpoint
async def test_ten_thousand_topics_are_waited_for(virtual_network: VirtualNetwork, endpoint: str) -> None:
    """A new publisher is told them piece by piece, and is asked after the last."""
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(triomq.PUB)
        sub = ctx.socket(triomq.SUB, topics=[b"%05d" % number for number in range(10_000)])
        sub.connect(await pub.bind(endpoint))
        await sub.wait_subscribed()
        await pub.send(b"09999")
        assert await sub.receive() == (b"09999",)


async def test_a_cancellation_is_in_force_too(virtual_network: VirtualNetwork) -> None:
    """And a SUB without topics has peers as any other socket: nobody is asked."""
    async with PlayedPeer(virtual_network, "PUB") as pub, virtual_network.open_context() as ctx:
        sub = ctx.socket(triomq.SUB)
        sub.connect(pub.endpoint)
        await pub.greet()
        await sub.wait_peers()
        assert await pub.hear() == []
        sub.subscribe("a")
        sub.unsubscribe("a")
        async with trio.open_nursery() as nursery:
            Waiting(nursery, sub.wait_subscribed)
            events = await pub.hear()
            assert [type(event) for event in events[:2]] == [Subscribe, Cancel]
            assert pings(events) == 1
            nursery.cancel_scope.cancel()


async def test_a_subscriber_whose_queue_is_full_has_its_publisher(virtual_network: VirtualNetwork) -> None:
    """Nothing more is read, and no answer, until somebody receives; wait_peers needs no answer then."""
    async with virtual_network.open_context() as ctx:
        pub, sub = ctx.socket(triomq.PUB), ctx.socket(triomq.SUB, topics=["a"], receive_hwm=3)
        sub.connect(await pub.bind("tcp://127.0.0.1:0"))
        await pub.wait_subscribers("a")
        await pub.send_many([b"a"] * 10)
        await settled()
        with trio.fail_after(1):
            await sub.wait_peers()
        async with trio.open_nursery() as nursery:
            waiting = Waiting(nursery, sub.wait_subscribed)
            await trio.sleep(10)
            assert not waiting.done
            for _ in range(10):
                await sub.receive()


async def test_heartbeats_go_on_beside_the_questions(virtual_network: VirtualNetwork) -> None:
    """A question's PONG is no heartbeat's, and a question keeps the promise that the heartbeats gave."""
    async with PlayedPeer(virtual_network, "PUB") as pub, virtual_network.open_context() as ctx:
        sub = ctx.socket(triomq.SUB, topics=["a"], heartbeat_interval=1, heartbeat_ttl=3, heartbeat_timeout=2)
        monitor = sub.monitor()
        sub.connect(pub.endpoint)
        await pub.greet()
        async with trio.open_nursery() as nursery:
            Waiting(nursery, sub.wait_subscribed)
            for _ in range(2):
                (ping,) = [event for event in await pub.hear() if isinstance(event, Ping)]
                assert (ping.ttl, len(ping.context)) == (3, 8)
                await pub.answer()
        await trio.sleep(1.5)
        (ping,) = [event for event in await pub.hear() if isinstance(event, Ping)]
        assert (ping.ttl, len(ping.context)) == (3, 2)
        await trio.sleep(3)  # it is not answered
        events = []
        while not isinstance(event := await monitor.receive(), triomq.Disconnected):
            events.append(event)
        assert isinstance(event.error, triomq.SilentPeerError)


@pytest.mark.parametrize("call", ["wait_subscribed", "wait_peers"])
@pytest.mark.parametrize("answers", [0, 1, 2])
async def test_closing_ends_the_wait(virtual_network: VirtualNetwork, call: str, answers: int) -> None:
    """At once, also while what was answered settles."""
    async with PlayedPeer(virtual_network, "PUB") as pub, virtual_network.open_context() as ctx:
        sub = ctx.socket(triomq.SUB, topics=["a"], linger=0)
        sub.connect(pub.endpoint)
        await pub.greet()
        ended = []

        async def wait() -> None:
            with pytest.raises(trio.ClosedResourceError, match=rf"SUB\.{call}"):
                await getattr(sub, call)()
            ended.append(trio.current_time())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            for _ in range(answers):
                await pub.hear()
                await pub.answer()
            await settled()
            closed_at = trio.current_time()
            await sub.aclose()
        assert ended == [closed_at]


@pytest.mark.parametrize("n", [0, -1, 1.5, None])
async def test_what_is_no_number_is_refused(n: Any) -> None:
    async with triomq.open_context() as ctx:
        sub = ctx.socket(triomq.SUB, topics=["a"])
        wrong, said = (ValueError, "{} or more") if isinstance(n, int) else (TypeError, "a whole number, an int")
        with pytest.raises(wrong, match=rf"SUB\.wait_subscribed: n, the number of publishers, is {said.format(1)}"):
            await sub.wait_subscribed(n)
        if n != 0:
            with pytest.raises(wrong, match=rf"SUB\.wait_peers: n, the number of p\w+, is {said.format(0)}"):
                await sub.wait_peers(n)
