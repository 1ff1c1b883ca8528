"""Publishers and subscribers in a group, in weather that a seed draws: in order, whole, and each gap is counted."""

from __future__ import annotations

import random

import pytest
import trio

from triomq import PUB, SUB
from triomq.testing import VirtualNetwork, run

GROUP = "epgm://eth0;239.192.1.1:5555"
COUNT = 60


class Weather:
    """What the seed says of one run."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = random.Random(seed)
        self.recovery_interval = rng.choice((0, 0.05, 1, 30))
        self.size = rng.choice((10, 1400, 9000))
        self.publishers = rng.choice((1, 3))
        self.receive_hwm = rng.choice((0, 3, 1000))
        self.receive_buffer = rng.choice((None, None, 8000))

    def link(self) -> dict[str, float]:
        rng = self.rng
        settings = {
            "loss": rng.choice((0, 0.05, 0.3)),
            "jitter": rng.choice((0, 0.02)),
            "duplication": rng.choice((0, 0.2)),
        }
        return settings | ({"bandwidth": rng.choice((300_000, 2_000_000))} if rng.random() < 0.3 else {})

    async def change(self, net: VirtualNetwork) -> None:
        """Between two messages: mostly nothing happens."""
        rng, chance = self.rng, self.rng.random()
        if chance < 0.03:
            net.pause("b")
            await trio.sleep(0.3)
            net.resume("b")
        elif chance < 0.06:
            cut = net.partition("a", "c")
            await trio.sleep(rng.choice((0.05, 0.5)))
            net.heal(cut)
        elif chance < 0.3:
            await trio.sleep(rng.choice((0.001, 0.01, 0.1)))


async def receive(subscriber: SUB, got: list[list[tuple[int, bytes]]], rng: random.Random) -> None:
    async for name, number, body in subscriber:
        got[int(name)].append((int(number), body))
        if rng.random() < 0.1:
            await trio.sleep(rng.choice((0, 0.01, 0.2)))


async def one_seed(net: VirtualNetwork, weather: Weather) -> tuple[int, int]:
    """Returns: messages that were sent, and that arrived."""
    async with net.open_context("a") as a, net.open_context("b") as b, net.open_context("c") as c:
        settings = {"send_hwm": 0, "recovery_interval": weather.recovery_interval, "linger": 100}
        publishers = [
            a.socket(PUB, rate=weather.rng.choice((200_000, 1_250_000)), **settings) for _ in range(weather.publishers)
        ]
        limits = {"receive_hwm": weather.receive_hwm, "receive_buffer": weather.receive_buffer}
        subscribers = [ctx.socket(SUB, topics=[""], **limits) for ctx in (b, c)]
        for socket in (*subscribers, *publishers):
            socket.connect(GROUP)
        for subscriber in subscribers:
            await subscriber.wait_peers(len(publishers))
        for host in "bc":
            net.link("a", host, **weather.link())
        got: list[list[list[tuple[int, bytes]]]] = [[[] for _ in publishers] for _ in subscribers]
        async with trio.open_nursery() as nursery:
            for subscriber, lists in zip(subscribers, got, strict=True):
                nursery.start_soon(receive, subscriber, lists, weather.rng)
            for number in range(COUNT):
                for name, publisher in enumerate(publishers):
                    await publisher.send([b"%d" % name, b"%d" % number, bytes([number]) * weather.size])
                await weather.change(net)
            await trio.sleep(300)
            nursery.cancel_scope.cancel()
        for subscriber, lists in zip(subscribers, got, strict=True):
            check(lists, weather, subscriber.statistics().messages_dropped)
        return COUNT * len(publishers) * len(subscribers), sum(len(one) for lists in got for one in lists)


def check(lists: list[list[tuple[int, bytes]]], weather: Weather, dropped: int) -> None:
    gaps = 0
    for one in lists:
        numbers = [number for number, _ in one]
        assert numbers == sorted(set(numbers))
        assert all(body == bytes([number]) * weather.size for number, body in one)
        ends = zip([-1, *numbers], [*numbers, COUNT], strict=True)
        gaps += sum(later != earlier + 1 for earlier, later in ends)
    assert bool(gaps) == bool(dropped)
    assert gaps <= dropped
    if weather.recovery_interval == 30:
        assert gaps == 0


@pytest.mark.parametrize("seed", range(12))
def test_in_order_and_whole_or_a_counted_gap(seed: int) -> None:
    run(one_seed, Weather(seed), seed=seed)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(1000, 1400, 50))
def test_in_order_and_whole_or_a_counted_gap_for_many_seeds(first: int) -> None:
    sent = arrived = 0
    for seed in range(first, first + 50):
        more = run(one_seed, Weather(seed), seed=seed)
        sent, arrived = sent + more[0], arrived + more[1]
    assert arrived < sent  # some of these seeds lose
