"""Promise 4: a full peer blocks or drops as its socket type says, that peer only, and the counters add up."""

from __future__ import annotations

from functools import partial

import pytest
import trio

import triomq

from .actors import accounted, bound_pull, drain, number, pad, receive_into
from .promises import promise
from .weather import storm

pytestmark = pytest.mark.virtual_seeds(4)
SMALL = {"send_buffer": 2000, "receive_buffer": 2000}


def fill(socket, make) -> int:
    """Send until there is no room. Returns: how many were accepted."""
    accepted = 0
    try:
        while True:
            socket.send_nowait(make(accepted))
            accepted += 1
    except trio.WouldBlock:
        return accepted


async def until_gone(socket) -> None:
    while socket.peers:  # noqa: ASYNC110  # nobody tells
        await trio.sleep(0.05)


@promise(4, 5)
@pytest.mark.parametrize("kind", [triomq.PUSH, triomq.DEALER, triomq.PAIR])
async def test_for_an_absent_peer_exactly_the_hwm_is_queued(net, rough, dice, kind) -> None:
    """Before it is first met, and each time it is gone: as many as the HWM, no fewer, no more."""
    rough("a", "b")
    hwm = dice.choice([1, 7, 100])
    received: list[int] = []
    other = {triomq.PUSH: triomq.PULL, triomq.DEALER: triomq.DEALER, triomq.PAIR: triomq.PAIR}[kind]

    async def peer(ctx: triomq.Context) -> None:
        socket = ctx.socket(other)
        await socket.bind("tcp://*:5555")
        await receive_into(socket, received)

    async with trio.open_nursery() as nursery, net.open_context("a") as ctx:
        socket = ctx.socket(kind, send_hwm=hwm, reconnect_interval_max=0.5, heartbeat_interval=3.0)
        socket.connect("tcp://b:5555")
        total = 0
        for round_ in range(4):
            first = total
            total += fill(socket, lambda one, first=first: b"%d" % (first + one))
            assert total - first == hwm
            assert socket.statistics().peers[0].send_queue == socket.statistics().peers[0].send_hwm == hwm
            assert accounted(socket) == total
            if round_:
                net.restart("b")
            else:
                nursery.start_soon(net.run_on, "b", peer)
            await trio.sleep(60)
            assert received == list(range(total))
            assert socket.statistics().messages_sent == total
            net.crash("b", how=dice.choice(["power", "process"]))
            await until_gone(socket)
        nursery.cancel_scope.cancel()


@promise(4, 5)
async def test_what_was_accepted_is_sent_dropped_or_queued_at_any_time(net, rough, dice) -> None:
    """Through crashes and resets, looked at after every step; and the queue never exceeds the HWM."""
    rough("a", "b")
    received: list[int] = []
    async with trio.open_nursery() as nursery, net.open_context("a") as ctx:
        push = ctx.socket(triomq.PUSH, send_hwm=10, reconnect_interval_max=0.5, heartbeat_interval=1.0, **SMALL)
        push.connect("tcp://b:5555")
        nursery.start_soon(partial(net.run_on, "b", bound_pull, received, receive_hwm=2))
        nursery.start_soon(
            lambda: storm(net, dice, "a", "b", faults=["reset", "process", "power", "pause"], times=8, longest=3)
        )
        accepted = 0
        for _ in range(150):
            with trio.move_on_after(dice.uniform(0, 0.5)):
                await push.send(pad(400)(accepted))
                accepted += 1
            statistics = push.statistics()
            assert accounted(push) == accepted
            assert statistics.peers[0].send_queue <= statistics.peers[0].send_hwm == 10
            assert statistics.messages_dropped == 0
            assert len(received) <= accepted  # of a batch that is half written, some may be there already
            await trio.sleep(dice.choice([0, 0, 0.2]))
        nursery.cancel_scope.cancel()
    assert len(set(received)) == len(received)


@promise(4)
async def test_a_slow_peer_blocks_and_loses_nothing(net, dice) -> None:
    """HWMs and buffers fill, `send` waits, then all goes on."""
    size, buffers = 1000, 20_000
    net.link("a", "b", send_buffer=buffers // 2, receive_buffer=buffers // 2, latency=dice.choice([0.0, 0.1]))
    async with net.open_context("b") as there, net.open_context("a") as here:
        pull = there.socket(triomq.PULL, receive_hwm=5)
        await pull.bind("tcp://*:5555")
        push = here.socket(triomq.PUSH, send_hwm=5)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        sent = 0
        with trio.move_on_after(1000):
            while True:
                await push.send(b"%d" % sent + bytes(size))
                sent += 1
        # Both HWMs and both buffers; a session may have read, and a batch have left, beyond that.
        assert 5 + 5 + buffers // size - 2 <= sent <= 5 + 5 + buffers // size + 70
        assert push.statistics().peers[0].send_queue == 5
        assert pull.statistics().peers[0].receive_queue == 5
        for one in range(sent):
            assert (await pull.receive())[0].rstrip(b"\0") == b"%d" % one


@promise(4)
async def test_behind_a_partition_the_queue_fills_to_the_hwm_and_no_further(net, rough, dice) -> None:
    rough("a", "b")
    hwm = dice.choice([1, 5, 70])
    received: list[int] = []
    async with trio.open_nursery() as nursery, net.open_context("a") as here, net.open_context("b") as there:
        pull = there.socket(triomq.PULL)
        await pull.bind("tcp://*:5555")
        push = here.socket(triomq.PUSH, send_hwm=hwm, **SMALL)
        push.connect("tcp://b:5555")
        await push.wait_peers()
        await pull.wait_peers()
        nursery.start_soon(receive_into, pull, received)
        total = 0
        for _ in range(3):
            split = net.partition("a")
            with trio.move_on_after(dice.uniform(5, 20)):
                while True:
                    await push.send(pad(300)(total))
                    total += 1
            assert push.statistics().peers[0].send_queue == hwm
            assert accounted(push) == total
            net.heal(split)
            await trio.sleep(100)
            assert received == list(range(total))
        nursery.cancel_scope.cancel()


@promise(4)
async def test_a_slow_subscriber_loses_alone_and_it_is_counted(net, dice) -> None:
    net.link("pub", "slow", send_buffer=2000, receive_buffer=2000)
    async with net.open_context("pub") as ctx, net.open_context("slow") as there, net.open_context("fast") as elsewhere:
        pub = ctx.socket(triomq.PUB, send_hwm=10)
        await pub.bind("tcp://*:5555")
        slow, fast = (
            context.socket(triomq.SUB, topics=[""], receive_hwm=10) for context in (there, elsewhere)
        )  # fmt: skip
        for sub in slow, fast:
            sub.connect("tcp://pub:5555")
        await pub.wait_subscribers(b"", 2)
        total = 300
        received: list[int] = []
        async with trio.open_nursery() as nursery:

            async def read_fast() -> None:
                for _ in range(total):
                    received.append(int((await fast.receive())[0]))

            nursery.start_soon(read_fast)
            for one in range(total):
                await pub.send([b"%d" % one, bytes(dice.randrange(200, 500))])
                await trio.sleep(0.01)
        assert received == list(range(total))
        late = [int(message[0]) for message in await drain(slow)]
        statistics = pub.statistics()
        assert late == sorted(set(late))
        assert statistics.messages_dropped == total - len(late) > 100
        assert statistics.messages_sent == total + len(late)


@promise(4, 3)
async def test_the_counters_of_a_publisher_add_up_for_each_subscriber(net, rough, dice) -> None:
    """Some are cut off for a while, some are paused: sent + dropped + queued is what was published, for each."""
    names = [f"s{one}" for one in range(4)]
    rough("pub", *names)
    received: dict[str, list[int]] = {name: [] for name in names}

    async def subscriber(ctx: triomq.Context, name: str) -> None:
        sub = ctx.socket(triomq.SUB, topics=["t"], receive_hwm=3, **SMALL)
        sub.connect("tcp://pub:5555")
        await receive_into(sub, received[name])

    async with trio.open_nursery() as nursery, net.open_context("pub") as ctx:
        pub = ctx.socket(triomq.PUB, send_hwm=5, **SMALL)
        await pub.bind("tcp://*:5555")
        for name in names:
            nursery.start_soon(net.run_on, name, subscriber, name)
        await pub.wait_subscribers("t", len(names))
        nursery.start_soon(lambda: storm(net, dice, "pub", names, times=6, longest=10))
        for one in range(150):
            await pub.send([b"t", pad(300)(one)])
            await pub.send([b"nobody wants this", b""])
            await trio.sleep(dice.choice([0, 0.2]))
            for peer in pub.statistics().peers:
                assert peer.messages_sent + peer.messages_dropped + peer.send_queue == one + 1
                assert peer.send_queue <= 5
        await trio.sleep(200)
        who = [peer.address.removeprefix("tcp://").partition(":")[0] for peer in pub.peers]
        counts = dict(zip(who, pub.statistics().peers, strict=True))
        nursery.cancel_scope.cancel()
    for name, numbers in received.items():
        assert numbers == sorted(set(numbers))
        assert len(numbers) == counts[name].messages_sent == 150 - counts[name].messages_dropped


@promise(4)
async def test_a_router_drops_for_a_full_peer_alone_and_for_strangers(net, dice) -> None:
    net.link("server", "slow", send_buffer=1000, receive_buffer=1000)
    net.link("server", "fast")
    async with net.open_context("server") as ctx, net.open_context("slow") as there, net.open_context("fast") as other:
        router = ctx.socket(triomq.ROUTER, send_hwm=5)
        await router.bind("tcp://*:5555")
        slow = there.socket(triomq.DEALER, routing_id=b"slow", receive_hwm=2)
        fast = other.socket(triomq.DEALER, routing_id=b"fast")
        for dealer in slow, fast:
            dealer.connect("tcp://server:5555")
        await router.wait_peers(2)
        net.pause("slow")
        strangers = 0
        for one in range(100):
            await router.send([b"slow", pad(100)(one)])
            await router.send([b"fast", pad(100)(one)])
            if dice.random() < 0.2:
                await router.send([b"stranger", b""])
                strangers += 1
            assert number(await fast.receive()) == one
        dropped = {peer.routing_id: peer.messages_dropped for peer in router.statistics().peers}
        assert dropped[b"fast"] == 0
        assert dropped[b"slow"] > 50
        assert router.statistics().messages_dropped == dropped[b"slow"] + strangers
        net.resume("slow")
        late = list(map(number, await drain(slow)))
        assert late == list(range(100 - dropped[b"slow"]))


@promise(4, 9)
async def test_a_mandatory_router_waits_for_a_full_peer_and_serves_the_others(net, rough, dice) -> None:
    rough("server", "slow", "fast")
    got: dict[str, list[int]] = {"slow": [], "fast": []}
    accepted: dict[str, int] = {"slow": 0, "fast": 0}

    async def client(ctx: triomq.Context, name: str) -> None:
        dealer = ctx.socket(triomq.DEALER, routing_id=name.encode(), receive_hwm=2, **SMALL)
        dealer.connect("tcp://server:5555")
        await receive_into(dealer, got[name])

    async with trio.open_nursery() as nursery, net.open_context("server") as ctx:
        router = ctx.socket(triomq.ROUTER, router_mandatory=True, send_hwm=3, **SMALL)
        await router.bind("tcp://*:5555")
        for name in got:
            nursery.start_soon(net.run_on, name, client, name)
        await router.wait_peers(2)
        await trio.sleep(10)
        net.pause("slow")

        async def serve(name: str) -> None:
            for one in range(60):
                await router.send([name.encode(), pad(300)(one)])
                accepted[name] += 1

        nursery.start_soon(serve, "slow")
        nursery.start_soon(serve, "fast")
        with pytest.raises(triomq.UnroutableError):
            await router.send([b"stranger", b""])
        await trio.sleep(100)
        assert got["fast"] == list(range(60))
        assert 3 <= accepted["slow"] < 30
        net.resume("slow")
        await trio.sleep(300)  # if the news that it reads again is lost, TCP probes after up to two minutes
        assert got["slow"] == list(range(60))
        assert router.statistics().messages_dropped == 0
        nursery.cancel_scope.cancel()


@promise(4, 5)
async def test_a_publisher_that_waits_goes_on_when_the_full_subscriber_dies(net, rough, dice) -> None:
    rough("pub", "dies", "lives")
    received: dict[str, list[int]] = {"dies": [], "lives": []}

    async def subscriber(ctx: triomq.Context, name: str) -> None:
        sub = ctx.socket(triomq.SUB, topics=[""], receive_hwm=2, **SMALL)
        sub.connect("tcp://pub:5555")
        await receive_into(sub, received[name])

    async with trio.open_nursery() as nursery, net.open_context("pub") as ctx:
        pub = ctx.socket(
            triomq.PUB, xpub_nodrop=True, send_hwm=2, heartbeat_interval=3.0, heartbeat_timeout=6.0, **SMALL
        )
        await pub.bind("tcp://*:5555")
        for name in received:
            nursery.start_soon(net.run_on, name, subscriber, name)
        await pub.wait_subscribers("", 2)
        fault = dice.choice(["partition", "process", "power", "reset"])
        if fault == "partition":
            net.partition("dies")
        else:
            net.pause("dies")
        with trio.move_on_after(2) as blocked:  # less than heartbeats allow
            for one in range(100):
                await pub.send(pad(300)(one))
        assert blocked.cancelled_caught
        if fault in ("process", "power"):
            net.crash("dies", how=fault)
        elif fault == "reset":
            net.cut("pub", "dies")
        with trio.fail_after(20):
            for one in range(100, 150):
                await pub.send(pad(300)(one))
                await trio.sleep(0.1)
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    assert received["lives"] == sorted(set(received["lives"]))
    assert received["lives"][-50:] == list(range(100, 150))


@promise(4, 3)
async def test_a_paused_worker_gets_no_more_than_fits_and_the_others_do_its_work(net, rough, dice) -> None:
    names = ["w0", "w1", "w2"]
    rough("vent", *names)
    received: dict[str, list[int]] = {name: [] for name in names}

    async def worker(ctx: triomq.Context, name: str) -> None:
        pull = ctx.socket(triomq.PULL, receive_hwm=2, **SMALL)
        pull.connect("tcp://vent:5555")
        await receive_into(pull, received[name])

    async with trio.open_nursery() as nursery, net.open_context("vent") as ctx:
        push = ctx.socket(triomq.PUSH, send_hwm=3, **SMALL)
        await push.bind("tcp://*:5555")
        for name in names:
            nursery.start_soon(net.run_on, name, worker, name)
        await push.wait_peers(3)
        await trio.sleep(10)
        paused = dice.choice(names)
        net.pause(paused)
        with trio.fail_after(500):
            for one in range(150):
                await push.send(pad(300)(one))
        await trio.sleep(100)
        done = sum(map(len, received.values()))
        assert 150 - done < 3 + 2 + 4000 // 300 + 20
        net.resume(paused)
        await trio.sleep(300)  # if the news that it reads again is lost, TCP probes after up to two minutes
        nursery.cancel_scope.cancel()
    assert sorted(one for numbers in received.values() for one in numbers) == list(range(150))
    assert all(numbers == sorted(numbers) for numbers in received.values())


@promise(4, 5)
async def test_with_immediate_nothing_is_queued_for_who_is_not_there(net, rough, dice) -> None:
    """Of two workers one comes and goes: what is sent meanwhile goes to the other, or waits in `send`."""
    rough("vent", "w0", "w1")
    received: dict[str, list[int]] = {"w0": [], "w1": []}
    async with trio.open_nursery() as nursery, net.open_context("vent") as ctx:
        push = ctx.socket(triomq.PUSH, immediate=True, reconnect_interval_max=0.5)
        for name in received:
            push.connect(f"tcp://{name}:5555")
        assert fill(push, pad(1)) == 0
        nursery.start_soon(net.run_on, "w0", bound_pull, received["w0"])
        await push.wait_peers()
        await trio.sleep(10)
        for one in range(20):
            await push.send(b"%d" % one)
        await trio.sleep(10)
        assert received["w0"] == list(range(20))
        nursery.start_soon(net.run_on, "w1", bound_pull, received["w1"])
        await push.wait_peers(2)
        await trio.sleep(10)
        net.crash("w0", how="process")
        await trio.sleep(10)
        for one in range(20, 40):
            await push.send(b"%d" % one)
        await trio.sleep(10)
        assert received["w1"] == list(range(20, 40))
        net.crash("w1", how="process")
        await trio.sleep(dice.uniform(5, 50))
        assert fill(push, pad(1)) == 0
        assert push.statistics().messages_dropped == 0
        nursery.cancel_scope.cancel()
