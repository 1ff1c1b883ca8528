"""PUB and SUB under faults: subscriptions come back, order stays, slow ones lose alone."""

from __future__ import annotations

import pytest
import trio

import triomq

pytestmark = pytest.mark.virtual_seeds(4)


async def publish(ctx: triomq.Context, interval: float = 0.1) -> None:
    pub = ctx.socket(triomq.PUB, heartbeat_interval=1.0)
    await pub.bind("tcp://*:5555")
    number = 0
    while True:
        await pub.send([b"news", b"%d" % int(trio.current_time() * 1000)])
        await pub.send([b"noise", b""])
        number += 1
        await trio.sleep(interval)


async def follow(ctx: triomq.Context, seen: list[tuple[float, int]]) -> None:
    sub = ctx.socket(triomq.SUB, topics=["news"], heartbeat_interval=1.0, reconnect_interval_max=1.0)
    sub.connect("tcp://pub:5555")
    async for topic, number in sub:
        assert topic == b"news"
        seen.append((trio.current_time(), int(number)))


async def test_after_a_partition_everybody_is_subscribed_again(net, rough, dice) -> None:
    names = [f"s{number}" for number in range(5)]
    rough("pub", *names)
    seen: dict[str, list[tuple[float, int]]] = {name: [] for name in names}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "pub", publish)
        for name in names:
            nursery.start_soon(net.run_on, name, follow, seen[name])
        await trio.sleep(20)
        cut_off = set(dice.sample(names, 3))
        net.partition(cut_off)
        await trio.sleep(60)
        net.heal()
        healed = trio.current_time()
        await trio.sleep(30)
        nursery.cancel_scope.cancel()
    for name in names:
        numbers = [number for _, number in seen[name]]
        assert numbers == sorted(set(numbers)), name  # in order, none twice
        assert numbers[-1] > (healed + 20) * 1000, name  # and it goes on
        during = [number for when, number in seen[name] if healed - 50 < when < healed]
        assert bool(during) is (name not in cut_off)


@pytest.mark.parametrize("how", ["power", "process"])
async def test_a_publisher_that_restarts_finds_its_subscribers(net, rough, dice, how) -> None:
    rough("pub", "s0", "s1")
    seen: dict[str, list[tuple[float, int]]] = {"s0": [], "s1": []}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "pub", publish)
        for name in seen:
            nursery.start_soon(net.run_on, name, follow, seen[name])
        await trio.sleep(10)
        net.crash("pub", how=how)
        await trio.sleep(dice.uniform(0, 60))
        net.restart("pub")
        restarted = trio.current_time()
        await trio.sleep(40)
        nursery.cancel_scope.cancel()
    for name in seen:
        numbers = [number for _, number in seen[name]]
        assert numbers == sorted(set(numbers)), name
        assert numbers[-1] > (restarted + 30) * 1000, name


async def test_a_slow_subscriber_loses_alone_and_it_is_counted(net, dice) -> None:
    """Promise 4, for a socket type that drops."""
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
        total = 500
        received = []
        async with trio.open_nursery() as nursery:

            async def read_fast() -> None:
                for _ in range(total):
                    received.append(int((await fast.receive())[0]))

            nursery.start_soon(read_fast)
            for number in range(total):
                await pub.send([b"%d" % number, bytes(dice.randrange(200, 500))])
                await trio.sleep(0.01)
        assert received == list(range(total))
        late = []
        with trio.move_on_after(60):
            while True:
                late.append(int((await slow.receive())[0]))
        statistics = pub.statistics()
        assert late == sorted(set(late))
        assert statistics.messages_dropped == total - len(late) > 300
        assert statistics.messages_sent == total + len(late)


async def test_a_tree_of_proxies_delivers_once_through_resets_below_it(net, rough, dice) -> None:
    """XSUB and XPUB in between: no message twice, and subscriptions travel up again."""
    leaves = [f"s{number}" for number in range(4)]
    rough("proxy", *leaves)
    seen: dict[str, list[tuple[float, int]]] = {name: [] for name in leaves}

    async def forward(ctx: triomq.Context) -> None:
        xsub, xpub = ctx.socket(triomq.XSUB), ctx.socket(triomq.XPUB)
        xsub.connect("tcp://pub:5555")
        await xpub.bind("tcp://*:6666")
        await triomq.proxy(xsub, xpub)

    async def leaf(ctx: triomq.Context, name: str) -> None:
        sub = ctx.socket(triomq.SUB, topics=["news"])
        sub.connect("tcp://proxy:6666")
        async for _, number in sub:
            seen[name].append((trio.current_time(), int(number)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(net.run_on, "pub", publish)
        nursery.start_soon(net.run_on, "proxy", forward)
        for name in leaves:
            nursery.start_soon(net.run_on, name, leaf, name)
        for _ in range(5):
            await trio.sleep(dice.uniform(1, 10))
            net.cut("proxy", dice.choice(["pub", *leaves]))
        await trio.sleep(20)
        end = trio.current_time()
        nursery.cancel_scope.cancel()
    for name in leaves:
        numbers = [number for _, number in seen[name]]
        assert numbers == sorted(set(numbers)), name
        assert numbers[-1] > (end - 5) * 1000, name
