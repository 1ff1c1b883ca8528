"""Every timer of the library, in virtual time: back-off, time limits, heartbeats."""

from __future__ import annotations

import errno
import itertools
import random
from functools import partial

import pytest
import trio
import trio.testing

import triomq
from triomq import zmtp
from triomq.testing import VirtualNetwork, VirtualStream
from triomq.testing._network import VirtualListener

from ..cancellation.kit import NOBODY, run
from ..monitors import next_event
from ..virtual import dial, listen


class Largest(random.Random):
    """Dice that always throw the most."""

    def uniform(self, a: float, b: float) -> float:
        return b


def attempts(net: VirtualNetwork) -> list[float]:
    """The times at which somebody dialled."""
    return [event.time for event in net.recorder.of_kind("connecting")]


def gaps(net: VirtualNetwork) -> list[float]:
    """The seconds from one attempt to the next."""
    return [round(later - earlier, 6) for earlier, later in itertools.pairwise(attempts(net))]


def test_the_bound_of_the_wait_doubles_up_to_its_cap() -> None:
    """From reconnect_interval to reconnect_interval_max; an event announces each wait."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context(rng=Largest()) as ctx:
            push = ctx.socket(triomq.PUSH, reconnect_interval=0.1, reconnect_interval_max=2)
            monitor = push.monitor()
            push.connect(NOBODY)
            announced = [(await next_event(monitor, triomq.ConnectFailed)).retry_in for _ in range(9)]
            await trio.sleep(announced[-1])
        assert announced == [0.1, 0.2, 0.4, 0.8, 1.6, 2, 2, 2, 2]
        assert gaps(net) == announced

    run(main)


def test_a_cap_below_the_first_interval_means_no_growth() -> None:
    """As libzmq's ZMQ_RECONNECT_IVL_MAX of 0."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context(rng=Largest()) as ctx:
            push = ctx.socket(triomq.PUSH, reconnect_interval=0.5, reconnect_interval_max=0)
            push.connect(NOBODY)
            await trio.sleep(10.1)
        assert set(gaps(net)) == {0.5}

    run(main)


def test_waits_are_drawn_from_the_whole_range() -> None:
    """Full jitter: each between 0 and its bound, spread evenly, and the same again with the same seed."""

    async def main(net: VirtualNetwork, seed: int) -> list[float]:
        async with net.open_context(rng=random.Random(seed)) as ctx:
            push = ctx.socket(triomq.PUSH, reconnect_interval=1, reconnect_interval_max=1)
            monitor = push.monitor()
            push.connect(NOBODY)
            return [(await next_event(monitor, triomq.ConnectFailed)).retry_in for _ in range(100)]

    waits = run(main, 1)
    assert waits == run(main, 1) != run(main, 2)
    assert 0 <= min(waits) < 0.1
    assert 0.9 < max(waits) <= 1
    assert 0.35 < sum(waits) / 100 < 0.65


def test_the_wait_starts_over_after_a_connection_that_carried_something_and_only_then() -> None:
    """A server that accepts and hangs up is not hammered; one that was a peer is looked for at once."""

    async def main(net: VirtualNetwork, *, speaks: bool) -> None:
        async with net.open_context(rng=Largest()) as ctx:
            push = ctx.socket(triomq.PUSH, reconnect_interval=1, reconnect_interval_max=100)
            monitor = push.monitor()
            push.connect("tcp://localhost:5555")
            failures = [(await next_event(monitor, triomq.ConnectFailed)).retry_in for _ in range(4)]
            assert failures == [1, 2, 4, 8]
            pull = ctx.socket(triomq.PULL)
            await pull.bind("tcp://*:5555")
            await push.wait_peers()
            if speaks:
                await push.send(b"it")
                await pull.receive()
            await pull.aclose()
            assert (await next_event(monitor, triomq.Disconnected)).retry_in == (1 if speaks else 16)
            assert (await next_event(monitor, triomq.ConnectFailed)).retry_in == (2 if speaks else 32)

    run(partial(main, speaks=True))
    run(partial(main, speaks=False))

    async def hanging_up(net: VirtualNetwork) -> None:
        async with net.open_context(rng=Largest()) as ctx, await listen(net) as listener:
            push = ctx.socket(triomq.PUSH, reconnect_interval=1, reconnect_interval_max=100)
            monitor = push.monitor()
            push.connect(listener.endpoint)
            for _ in range(5):
                await (await listener.accept()).aclose()
                await next_event(monitor, triomq.HandshakeFailed)
        assert gaps(net) == [1, 2, 4, 8]

    run(hanging_up)


def test_a_restarted_server_gets_what_was_queued() -> None:
    """Promise 5: connect before bind, restart, and the connect side keeps its queue."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            push = ctx.socket(triomq.PUSH)
            push.connect("tcp://localhost:5555")
            for generation in range(4):
                await push.send(b"%d" % generation)
                await trio.sleep(100)
                async with ctx.socket(triomq.PULL) as pull:
                    await pull.bind("tcp://*:5555")
                    assert await pull.receive() == (b"%d" % generation,)
                await trio.sleep(100)

    run(main)


@pytest.mark.parametrize("side", ["connects", "binds"])
def test_a_silent_peer_is_given_up_after_the_handshake_timeout(side: str) -> None:
    """At that moment, with an event that says so; other peers are served meanwhile."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx, await listen(net) as silent:
            pull = ctx.socket(triomq.PULL, handshake_timeout=7)
            monitor = pull.monitor()
            if side == "connects":
                pull.connect(silent.endpoint)
            else:
                endpoint = await pull.bind("tcp://*:5555")
                await dial(net, endpoint)  # and says nothing
                push = ctx.socket(triomq.PUSH)
                push.connect(endpoint)
                await push.send(b"it")
                assert await pull.receive() == (b"it",)
            event = await next_event(monitor, triomq.HandshakeFailed)
            assert isinstance(event.error, trio.TooSlowError)
            assert "handshake_timeout=7" in str(event.error)
            assert trio.current_time() - attempts(net)[0] == pytest.approx(7)

    run(main)


def test_a_drip_of_octets_does_not_extend_the_handshake() -> None:
    """The limit is a total, not a pause."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            pull = ctx.socket(triomq.PULL, handshake_timeout=10)
            monitor = pull.monitor()
            stream = await dial(net, await pull.bind("tcp://*:5555"))
            start = trio.current_time()

            async def drip() -> None:
                for octet in zmtp.Connection("PUSH", as_server=False).data_to_send()[:10]:
                    await stream.send_all(bytes([octet]))
                    await trio.sleep(1)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(drip)
                await next_event(monitor, triomq.HandshakeFailed)
                assert trio.current_time() - start == 10
                nursery.cancel_scope.cancel()

    run(main)


def test_an_attempt_to_connect_is_given_up_after_the_connect_timeout() -> None:
    """And tried again after the wait."""

    async def main(net: VirtualNetwork) -> None:
        net.partition("a", "b")
        async with net.open_context("a", rng=Largest()) as ctx:
            push = ctx.socket(triomq.PUSH, connect_timeout=5, reconnect_interval=1, reconnect_interval_max=1)
            monitor = push.monitor()
            push.connect("tcp://b:5555")
            event = await next_event(monitor, triomq.ConnectFailed)
            assert isinstance(event.error, trio.TooSlowError)
            assert "connect_timeout=5" in str(event.error)
            await next_event(monitor, triomq.ConnectFailed)
        assert gaps(net) == [6]

    run(main)


def test_the_wait_after_a_time_limit_is_drawn_from_as_long_a_range() -> None:
    """Or peers that were cut off together would run into the limit together, and come back together."""

    async def connecting(net: VirtualNetwork) -> None:
        net.partition("a", "b")
        async with net.open_context("a", rng=Largest()) as ctx:
            push = ctx.socket(triomq.PUSH, connect_timeout=5, reconnect_interval=1, reconnect_interval_max=10)
            monitor = push.monitor()
            push.connect("tcp://b:5555")
            announced = [(await next_event(monitor, triomq.ConnectFailed)).retry_in for _ in range(5)]
        assert announced == [5, 5, 5, 8, 10]

    async def shaking_hands(net: VirtualNetwork) -> None:
        async with net.open_context(rng=Largest()) as ctx, await listen(net) as listener:
            push = ctx.socket(triomq.PUSH, handshake_timeout=7, reconnect_interval=1)
            monitor = push.monitor()
            push.connect(listener.endpoint)
            for _ in range(3):
                async with await listener.accept():
                    await next_event(monitor, triomq.HandshakeFailed)
        assert [round(gap, 1) for gap in gaps(net)] == [14, 14]

    run(connecting)
    run(shaking_hands)


async def shake_hands(net: VirtualNetwork, socket: triomq.PULL) -> tuple[VirtualStream, zmtp.Connection]:
    """Be a peer of a bound socket, by hand."""
    stream = await dial(net, socket.endpoints[0])
    connection = zmtp.Connection("PUSH", as_server=False)
    while not connection.established:
        await stream.send_all(connection.data_to_send())
        await trio.testing.wait_all_tasks_blocked()
        connection.receive_data(await stream.receive_some(), 1)
    if data := connection.data_to_send():
        await stream.send_all(data)
    await socket.wait_peers()
    return stream, connection


@pytest.mark.parametrize(("timeout", "after"), [(None, 20), (3, 13), (25, 35)])
def test_a_peer_that_does_not_answer_heartbeats_is_dropped(timeout: float | None, after: float) -> None:
    """After the interval and the timeout, which is the interval if not given; PINGs carry the ttl."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            pull = ctx.socket(triomq.PULL, heartbeat_interval=10, heartbeat_timeout=timeout, heartbeat_ttl=3.2)
            monitor = pull.monitor()
            await pull.bind("tcp://*:5555")
            stream, connection = await shake_hands(net, pull)
            start = trio.current_time()
            event = await next_event(monitor, triomq.Disconnected)
            assert trio.current_time() - start == after
            assert "heartbeat" in str(event.error)
            events = connection.receive_data(stream.receive_nowait(1000))
            assert next(one for one in events if isinstance(one, zmtp.Ping)) == zmtp.Ping(ttl=3.2, context=b"\0\1")

    run(main)


def test_heartbeats_keep_an_idle_connection_for_days() -> None:
    """Between two of ours; and without heartbeats nothing is ever dropped either."""

    async def main(net: VirtualNetwork) -> None:
        for interval in (10.0, 0.0):
            async with net.open_context() as ctx:
                pull = ctx.socket(triomq.PULL, heartbeat_interval=interval)
                push = ctx.socket(triomq.PUSH, heartbeat_interval=interval * 1.5, heartbeat_ttl=interval * 2)
                push.connect(await pull.bind("tcp://*:5555"))
                await push.wait_peers()
                monitor = push.monitor()
                await trio.sleep(7200)
                await push.send(b"it")
                assert await pull.receive() == (b"it",)
                with pytest.raises(trio.WouldBlock):
                    monitor.receive_nowait()

    run(main)


def test_a_peer_that_asked_for_it_is_dropped_when_it_falls_silent() -> None:
    """The ttl of a PING ends only the connection it came through."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            pull = ctx.socket(triomq.PULL)
            monitor = pull.monitor()
            await pull.bind("tcp://*:5555")
            push = ctx.socket(triomq.PUSH)
            push.connect("tcp://localhost:5555")
            await push.wait_peers()
            stream, connection = await shake_hands(net, pull)
            buffers: list[bytes] = []
            connection.encode([zmtp.Ping(ttl=5, context=b"x")], buffers)
            await stream.send_all(b"".join(buffers))
            start = trio.current_time()
            await next_event(monitor, triomq.Disconnected)
            assert trio.current_time() - start == 5
            await trio.sleep(1000)
            assert len(pull.peers) == 1
            await push.send(b"it")
            assert await pull.receive() == (b"it",)

    run(main)


def test_a_shortage_of_descriptors_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accepting goes on a moment later, and nothing spins meanwhile."""
    accept = VirtualListener.accept
    failures = [OSError(errno.EMFILE, "too many open files")] * 3

    async def failing(self: VirtualListener) -> VirtualStream:
        await trio.lowlevel.checkpoint()
        if failures:
            raise failures.pop()
        return await accept(self)

    monkeypatch.setattr(VirtualListener, "accept", failing)

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            pull = ctx.socket(triomq.PULL)
            monitor = pull.monitor()
            await pull.bind("tcp://*:5555")
            push = ctx.socket(triomq.PUSH)
            push.connect("tcp://localhost:5555")
            start = trio.current_time()
            await push.send(b"1")
            assert await pull.receive() == (b"1",)
            other = ctx.socket(triomq.PUSH)
            other.connect("tcp://localhost:5555")
            await other.send(b"2")
            assert await pull.receive() == (b"2",)
            waits = [(await next_event(monitor, triomq.AcceptFailed)).retry_in for _ in range(3)]
            assert all(wait > 0 for wait in waits)
            assert trio.current_time() - start == pytest.approx(sum(waits))

    run(main)
