"""Every timer of the library, in virtual time: back-off, time limits, heartbeats."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq import zmtp

from ..cancellation.kit import context, run
from ..cancellation.wire import Wire, WireStream, wire_pair


async def next_event(monitor: triomq.Monitor, kind: type[Any]) -> Any:
    """The next event of that kind."""
    while not isinstance(event := await monitor.receive(), kind):
        pass
    return event


class Silent(Wire):
    """Connects to peers that accept and then say nothing; the test has their ends in ``streams``."""

    async def connect(self, address: str, options: triomq.Options) -> WireStream:
        await trio.lowlevel.checkpoint()
        self.attempts.append(trio.current_time())
        near, far = wire_pair()
        self.streams.append(far)
        return near


class Unreachable(Wire):
    """Never connects and never fails."""

    async def connect(self, address: str, options: triomq.Options) -> WireStream:
        self.attempts.append(trio.current_time())
        await trio.sleep(math.inf)
        raise AssertionError


class Largest(random.Random):
    """Dice that always throw the most."""

    def uniform(self, a: float, b: float) -> float:
        return b


def gaps(times: list[float]) -> list[float]:
    return [round(later - earlier, 6) for earlier, later in itertools.pairwise(times)]


def test_the_bound_of_the_wait_doubles_up_to_its_cap() -> None:
    """From reconnect_interval to reconnect_interval_max; an event announces each wait."""

    async def main() -> None:
        wire = Wire()
        async with triomq.open_context(transports={"wire": wire}, rng=Largest()) as ctx:
            push = ctx.socket(triomq.PUSH, reconnect_interval=0.1, reconnect_interval_max=2)
            monitor = push.monitor()
            push.connect("wire://nobody")
            announced = [(await next_event(monitor, triomq.ConnectFailed)).retry_in for _ in range(9)]
            await trio.sleep(announced[-1])
        assert announced == [0.1, 0.2, 0.4, 0.8, 1.6, 2, 2, 2, 2]
        assert gaps(wire.attempts) == announced[: len(wire.attempts) - 1]

    run(main)


def test_a_cap_below_the_first_interval_means_no_growth() -> None:
    """As libzmq's ZMQ_RECONNECT_IVL_MAX of 0."""

    async def main() -> None:
        wire = Wire()
        async with triomq.open_context(transports={"wire": wire}, rng=Largest()) as ctx:
            ctx.socket(triomq.PUSH, reconnect_interval=0.5, reconnect_interval_max=0).connect("wire://nobody")
            await trio.sleep(10.1)
        assert set(gaps(wire.attempts)) == {0.5}

    run(main)


def test_waits_are_drawn_from_the_whole_range() -> None:
    """Full jitter: each between 0 and its bound, spread evenly, and the same again with the same seed."""

    async def main(seed: int) -> list[float]:
        async with triomq.open_context(transports={"wire": Wire()}, rng=random.Random(seed)) as ctx:
            push = ctx.socket(triomq.PUSH, reconnect_interval=1, reconnect_interval_max=1)
            monitor = push.monitor()
            push.connect("wire://nobody")
            return [(await next_event(monitor, triomq.ConnectFailed)).retry_in for _ in range(100)]

    waits = run(main, 1)
    assert waits == run(main, 1) != run(main, 2)
    assert 0 <= min(waits) < 0.1
    assert 0.9 < max(waits) <= 1
    assert 0.35 < sum(waits) / 100 < 0.65


def test_the_wait_starts_over_after_a_handshake_and_only_then() -> None:
    """A server that accepts and hangs up is not hammered; one that was a peer is looked for at once."""

    async def main() -> None:
        wire = Wire()
        async with triomq.open_context(transports={"wire": wire}, rng=Largest()) as ctx:
            push = ctx.socket(triomq.PUSH, reconnect_interval=1, reconnect_interval_max=100)
            monitor = push.monitor()
            push.connect("wire://it")
            failures = [(await next_event(monitor, triomq.ConnectFailed)).retry_in for _ in range(4)]
            assert failures == [1, 2, 4, 8]
            pull = ctx.socket(triomq.PULL)
            await pull.bind("wire://it")
            await push.wait_peers()
            await pull.aclose()
            await next_event(monitor, triomq.Disconnected)
            assert (await next_event(monitor, triomq.ConnectFailed)).retry_in == 2

    run(main)

    async def hanging_up() -> None:
        wire = Silent()
        async with triomq.open_context(transports={"wire": wire}, rng=Largest()) as ctx:
            push = ctx.socket(triomq.PUSH, reconnect_interval=1, reconnect_interval_max=100)
            monitor = push.monitor()
            push.connect("wire://it")
            for _ in range(5):
                await next_event(monitor, triomq.Connected)
                await wire.streams[-1].aclose()
                await next_event(monitor, triomq.HandshakeFailed)
        assert gaps(wire.attempts) == [1, 2, 4, 8]

    run(hanging_up)


def test_a_restarted_server_gets_what_was_queued() -> None:
    """Promise 5: connect before bind, restart, and the connect side keeps its queue."""

    async def main() -> None:
        async with context(transports={"wire": Wire()}) as ctx:
            push = ctx.socket(triomq.PUSH)
            push.connect("wire://it")
            for generation in range(4):
                await push.send(b"%d" % generation)
                await trio.sleep(100)
                async with ctx.socket(triomq.PULL) as pull:
                    await pull.bind("wire://it")
                    assert await pull.receive() == (b"%d" % generation,)
                await trio.sleep(100)

    run(main)


@pytest.mark.parametrize("side", ["connects", "binds"])
def test_a_silent_peer_is_given_up_after_the_handshake_timeout(side: str) -> None:
    """At that moment, with an event that says so; other peers are served meanwhile."""

    async def main() -> None:
        wire = Silent() if side == "connects" else Wire()
        async with context(transports={"wire": wire}) as ctx:
            pull = ctx.socket(triomq.PULL, handshake_timeout=7)
            monitor = pull.monitor()
            if side == "connects":
                pull.connect("wire://it")
            else:
                await pull.bind("wire://it")
                await wire.connect("it", pull.options)  # and says nothing
                push = ctx.socket(triomq.PUSH)
                push.connect("wire://it")
                await push.send(b"it")
                assert await pull.receive() == (b"it",)
            event = await next_event(monitor, triomq.HandshakeFailed)
            assert isinstance(event.error, trio.TooSlowError)
            assert "handshake_timeout=7" in str(event.error)
            assert trio.current_time() - wire.attempts[0] == pytest.approx(7)

    run(main)


def test_a_drip_of_octets_does_not_extend_the_handshake() -> None:
    """The limit is a total, not a pause."""

    async def main() -> None:
        wire = Wire()
        async with context(transports={"wire": wire}) as ctx:
            pull = ctx.socket(triomq.PULL, handshake_timeout=10)
            monitor = pull.monitor()
            await pull.bind("wire://it")
            stream = await wire.connect("it", pull.options)
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

    async def main() -> None:
        wire = Unreachable()
        async with triomq.open_context(transports={"wire": wire}, rng=Largest()) as ctx:
            push = ctx.socket(triomq.PUSH, connect_timeout=5, reconnect_interval=1, reconnect_interval_max=1)
            monitor = push.monitor()
            push.connect("wire://it")
            event = await next_event(monitor, triomq.ConnectFailed)
            assert isinstance(event.error, trio.TooSlowError)
            assert "connect_timeout=5" in str(event.error)
            await next_event(monitor, triomq.ConnectFailed)
        assert gaps(wire.attempts) == [6]

    run(main)


def test_the_wait_after_a_time_limit_is_drawn_from_as_long_a_range() -> None:
    """Or peers that were cut off together would run into the limit together, and come back together."""

    async def connecting() -> None:
        options = {"connect_timeout": 5, "reconnect_interval": 1, "reconnect_interval_max": 10}
        async with triomq.open_context(transports={"wire": Unreachable()}, rng=Largest()) as ctx:
            push = ctx.socket(triomq.PUSH, **options)
            monitor = push.monitor()
            push.connect("wire://it")
            announced = [(await next_event(monitor, triomq.ConnectFailed)).retry_in for _ in range(5)]
        assert announced == [5, 5, 5, 8, 10]

    async def shaking_hands() -> None:
        wire = Silent()
        async with triomq.open_context(transports={"wire": wire}, rng=Largest()) as ctx:
            push = ctx.socket(triomq.PUSH, handshake_timeout=7, reconnect_interval=1)
            monitor = push.monitor()
            push.connect("wire://it")
            for _ in range(3):
                await next_event(monitor, triomq.HandshakeFailed)
        assert gaps(wire.attempts) == [14, 14]

    run(connecting)
    run(shaking_hands)


async def shake_hands(wire: Wire, socket: Any, as_type: str = "PUSH") -> tuple[WireStream, zmtp.Connection]:
    """Be a peer of a bound socket, by hand."""
    stream = await wire.connect("it", socket.options)
    connection = zmtp.Connection(as_type, as_server=False)
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

    async def main() -> None:
        wire = Wire()
        async with context(transports={"wire": wire}) as ctx:
            pull = ctx.socket(triomq.PULL, heartbeat_interval=10, heartbeat_timeout=timeout, heartbeat_ttl=3.2)
            monitor = pull.monitor()
            await pull.bind("wire://it")
            stream, connection = await shake_hands(wire, pull)
            start = trio.current_time()
            event = await next_event(monitor, triomq.Disconnected)
            assert trio.current_time() - start == after
            assert "heartbeat" in str(event.error)
            events = connection.receive_data(stream.receive_nowait(1000))
            assert next(one for one in events if isinstance(one, zmtp.Ping)) == zmtp.Ping(ttl=3.2, context=b"")

    run(main)


def test_heartbeats_keep_an_idle_connection_for_days() -> None:
    """Between two of ours; and without heartbeats nothing is ever dropped either."""

    async def main() -> None:
        for interval in (10.0, 0.0):
            async with context(transports={"wire": Wire()}) as ctx:
                pull = ctx.socket(triomq.PULL, heartbeat_interval=interval)
                push = ctx.socket(triomq.PUSH, heartbeat_interval=interval * 1.5, heartbeat_ttl=interval * 2)
                push.connect(await pull.bind("wire://it"))
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

    async def main() -> None:
        wire = Wire()
        async with context(transports={"wire": wire}) as ctx:
            pull = ctx.socket(triomq.PULL)
            monitor = pull.monitor()
            await pull.bind("wire://it")
            push = ctx.socket(triomq.PUSH)
            push.connect("wire://it")
            await push.wait_peers()
            stream, connection = await shake_hands(wire, pull)
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


def test_a_shortage_of_descriptors_is_waited_out() -> None:
    """Accepting goes on a moment later, and nothing spins meanwhile."""

    async def main() -> None:
        wire = Wire()
        async with context(transports={"wire": wire}) as ctx:
            pull = ctx.socket(triomq.PULL)
            monitor = pull.monitor()
            await pull.bind("wire://it")
            listener = wire.listeners["it"]
            accept, failures = listener.accept, [OSError(24, "too many open files")] * 3

            async def failing() -> WireStream:
                await trio.lowlevel.checkpoint()
                if failures:
                    raise failures.pop()
                return await accept()

            listener.accept = failing  # type: ignore[method-assign]
            push = ctx.socket(triomq.PUSH)
            push.connect("wire://it")
            start = trio.current_time()
            await push.send(b"1")
            assert await pull.receive() == (b"1",)
            other = ctx.socket(triomq.PUSH)
            other.connect("wire://it")
            await other.send(b"2")
            assert await pull.receive() == (b"2",)
            waits = [(await next_event(monitor, triomq.AcceptFailed)).retry_in for _ in range(3)]
            assert all(wait > 0 for wait in waits)
            assert trio.current_time() - start == pytest.approx(sum(waits))

    run(main)
