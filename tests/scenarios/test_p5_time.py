"""Promise 5 in time: heartbeats, back-off, and what nobody has the time to wait for."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest
import trio

import triomq

from ..monitors import next_event
from .actors import bound_pull, number
from .liar import listen
from .promises import promise
from .weather import storm

pytestmark = pytest.mark.virtual_seeds(4)


@promise(5, 7)
@pytest.mark.parametrize("fault", ["black hole", "partition", "power", "pause"])
async def test_heartbeats_notice_silence_in_time_and_the_socket_comes_back(net, dice, fault) -> None:
    interval, timeout = dice.uniform(0.5, 5), dice.uniform(0.5, 5)
    received: list[int] = []
    async with trio.open_nursery() as nursery, net.open_context("a") as ctx:
        nursery.start_soon(net.run_on, "b", bound_pull, received)
        push = ctx.socket(triomq.PUSH, heartbeat_interval=interval, heartbeat_timeout=timeout, connect_timeout=2.0)
        push.connect("tcp://b:5555")
        monitor = push.monitor()
        await push.wait_peers()
        await trio.sleep(dice.uniform(0, 300))  # a living peer is never dropped
        assert push.peers
        start = trio.current_time()
        if fault == "black hole":
            net.cut("a", "b", how="black hole")
        elif fault == "partition":
            net.partition("a", "b")
        elif fault == "power":
            net.crash("b")
        else:
            net.pause("b")
        event = await next_event(monitor, triomq.Disconnected)
        assert isinstance(event.error, triomq.SilentPeerError)
        noticed = trio.current_time() - start
        assert timeout - 0.1 <= noticed <= interval + timeout + 0.1
        net.heal()
        net.restart("b")
        net.resume("b")
        await next_event(monitor, triomq.HandshakeSucceeded)
        nursery.cancel_scope.cancel()


@promise(5, 4)
async def test_a_host_paused_for_less_than_heartbeats_allow_is_not_dropped(net, dice) -> None:
    interval, timeout = dice.uniform(1, 5), dice.uniform(5, 20)
    async with net.open_context("a") as here, net.open_context("b") as there:
        router = there.socket(triomq.ROUTER, heartbeat_interval=interval, heartbeat_timeout=timeout)
        await router.bind("tcp://*:5555")
        dealer = here.socket(
            triomq.DEALER, heartbeat_interval=interval, heartbeat_timeout=timeout, heartbeat_ttl=interval + timeout
        )
        dealer.connect("tcp://b:5555")
        await dealer.wait_peers()
        monitors = [dealer.monitor(), router.monitor()]
        await router.wait_peers()
        for _ in range(5):
            paused = dice.choice("ab")
            await trio.sleep(dice.uniform(0, 30))
            net.pause(paused)
            await trio.sleep(dice.uniform(0.5, 0.99) * timeout)
            net.resume(paused)
        await trio.sleep(2 * (interval + timeout))
        for monitor in monitors:
            with pytest.raises(trio.WouldBlock):
                while True:
                    assert not isinstance(monitor.receive_nowait(), triomq.Disconnected)
        await dealer.send(b"1")
        assert number(await router.receive()) == 1


@promise(5, 4)
async def test_a_slow_consumer_is_not_taken_for_a_dead_one(net, dice) -> None:
    """Heartbeats on both sides; the consumer receives nothing for a minute, and its queues are full."""
    async with net.open_context("a") as here, net.open_context("b") as there:
        pull = there.socket(triomq.PULL, receive_hwm=2, receive_buffer=2000, heartbeat_interval=1.0)
        await pull.bind("tcp://*:5555")
        push = here.socket(
            triomq.PUSH, send_hwm=2, send_buffer=2000, heartbeat_interval=1.0, heartbeat_timeout=3.0,
            heartbeat_ttl=5.0,
        )  # fmt: skip
        push.connect("tcp://b:5555")
        await push.wait_peers()
        monitor = push.monitor()
        sent = 0
        for _ in range(2):
            with trio.move_on_after(dice.uniform(30, 100)):
                while True:
                    await push.send(b"%0200d" % sent)
                    sent += 1
            for _ in range(dice.randrange(5)):
                assert (await pull.receive())[0]
        assert len(push.peers) == len(pull.peers) == 1
        with pytest.raises(trio.WouldBlock):
            while True:
                event = monitor.receive_nowait()
                assert isinstance(event, (triomq.HighWaterMarkReached, triomq.HighWaterMarkRelieved))
        assert pull.statistics().messages_received <= sent


@promise(5, 7)
async def test_a_time_to_live_lets_the_other_end_notice_too(net, dice) -> None:
    """The bound side has no heartbeats of its own: it drops a silent peer after the peer's own time to live."""
    ttl = round(dice.uniform(1, 10), 1)
    async with net.open_context("b") as there:
        pull = there.socket(triomq.PULL)
        monitor = pull.monitor()
        await pull.bind("tcp://*:5555")

        async def pusher(ctx: triomq.Context) -> None:
            push = ctx.socket(triomq.PUSH, heartbeat_interval=0.5, heartbeat_ttl=ttl, heartbeat_timeout=1000.0)
            push.connect("tcp://b:5555")
            await trio.sleep_forever()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(net.run_on, "a", pusher)
            await pull.wait_peers()
            await trio.sleep(dice.uniform(5, 100))
            assert pull.peers
            start = trio.current_time()
            if dice.random() < 0.5:
                net.crash("a", how="power")
            else:
                net.cut("a", "b", how="black hole")
            event = await next_event(monitor, triomq.Disconnected)
            assert isinstance(event.error, triomq.SilentPeerError)
            assert ttl - 0.6 <= trio.current_time() - start <= ttl + 0.1
            nursery.cancel_scope.cancel()


@promise(5)
async def test_back_off_grows_has_a_bound_and_is_not_in_step(net, dice) -> None:
    most = dice.choice([2.0, 10.0, 60.0])
    duration = 120 * most
    net.link("a", "c")
    net.link("b", "c")

    async def try_for_long(ctx: triomq.Context) -> None:
        push = ctx.socket(triomq.PUSH, reconnect_interval=0.1, reconnect_interval_max=most)
        push.connect("tcp://c:5555")
        await trio.sleep(duration)

    async with trio.open_nursery() as nursery:
        for host in "ab":
            nursery.start_soon(net.run_on, host, try_for_long)
    attempts = {
        host: [event.time for event in net.recorder.of_kind("connecting") if event.host == host] for host in "ab"
    }
    for times in attempts.values():
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert max(gaps[:3]) < 1
        assert most * 0.8 < max(gaps) < most + 0.01
        assert 0.8 * duration / (most / 2) < len(gaps) < 1.3 * duration / (most / 2) + 20
    assert len(set(attempts["a"]) & set(attempts["b"])) == 1  # only the first one together


@promise(5, 7)
async def test_a_server_that_hangs_up_in_the_handshake_is_not_hammered(net, dice) -> None:
    """Back-off starts over with a connection that carried something, not with one that stands."""
    async with net.open_context("a") as ctx, trio.open_nursery() as nursery:
        hang_up_after = dice.choice([0, 10, 64, 80])
        nursery.start_soon(listen, net, "b", 5555, hang_up_after)
        push = ctx.socket(triomq.PUSH, reconnect_interval=0.1, reconnect_interval_max=10.0)
        monitor = push.monitor()
        push.connect("tcp://b:5555")
        await trio.sleep(300)
        nursery.cancel_scope.cancel()
    times = [event.time for event in net.recorder.of_kind("connecting")]
    assert 20 < len(times) < 150
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) > 5
    assert max(gaps[-3:]) > 0.1
    failures = 0
    async for event in monitor:
        if isinstance(event, triomq.HandshakeFailed):
            assert isinstance(event.error, (trio.BrokenResourceError, triomq.RemoteProtocolError))
            failures += 1
    assert failures > 15


@promise(5)
async def test_a_crowd_comes_back_spread_over_time(net, dice) -> None:
    """Jitter: of many clients of a server that restarts no two knock together, and all are back soon."""
    names = [f"c{one}" for one in range(12)]

    async def client(ctx: triomq.Context) -> None:
        push = ctx.socket(triomq.PUSH, reconnect_interval=1.0, reconnect_interval_max=8.0)
        push.connect("tcp://server:5555")
        await trio.sleep_forever()

    async def server(ctx: triomq.Context) -> None:
        pull = ctx.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        await pull.wait_peers(len(names))
        ready.set()
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        ready = trio.Event()
        nursery.start_soon(net.run_on, "server", server)
        for name in names:
            nursery.start_soon(net.run_on, name, client)
        await ready.wait()
        net.crash("server", how="process")
        await trio.sleep(dice.uniform(10, 60))
        ready = trio.Event()
        net.restart("server")
        start = trio.current_time()
        with trio.fail_after(8.1):
            await ready.wait()
        nursery.cancel_scope.cancel()
    back = sorted(event.time for event in net.recorder.of_kind("established") if event.time > start)
    assert len(back) == len(names)
    assert len({round(time, 3) for time in back}) > len(names) - 3
    assert back[-1] - back[0] > 1


@promise(5, 3)
async def test_nothing_is_missed_while_both_ways_differ(net, dice) -> None:
    """A link that is fast one way and slow the other, with heartbeats and partitions of seconds: nobody is dropped."""
    net.link("a", "b", both_ways=False, latency=dice.choice([0.001, 2.0]), bandwidth=20_000.0)
    net.link("b", "a", both_ways=False, latency=dice.choice([0.001, 2.0]), jitter=0.5)
    received: list[int] = []
    patient = {"heartbeat_interval": 10.0, "heartbeat_timeout": 60.0}
    async with trio.open_nursery() as nursery, net.open_context("a") as ctx:
        nursery.start_soon(partial(net.run_on, "b", bound_pull, received, **patient))
        push = ctx.socket(triomq.PUSH, handshake_timeout=60.0, **patient)
        push.connect("tcp://b:5555")
        monitor = push.monitor()
        await push.wait_peers()
        await trio.sleep(10)
        nursery.start_soon(storm, net, dice, "a", "b")
        for one in range(100):
            await push.send(b"%d" % one)
            await trio.sleep(dice.uniform(0, 1))
        await trio.sleep(30)
        assert received == list(range(100))
        assert isinstance(monitor.receive_nowait(), triomq.Connected)
        assert isinstance(monitor.receive_nowait(), triomq.HandshakeSucceeded)
        with pytest.raises(trio.WouldBlock):
            monitor.receive_nowait()
        nursery.cancel_scope.cancel()
