"""A PUB with many subscribers behind two levels of XSUB/XPUB proxies."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from itertools import count, cycle

import trio

import triomq
from triomq.testing import VirtualNetwork

from .fleet import MOMENT, Fleet, Plan, doubled, shortened

LEAVES = 32  # subscribers of one proxy of the lower level
BRANCHES = 8  # proxies of the lower level at one of the upper level
TEAMS = 10  # topics of which a subscriber wants one; and there is one that all want
PERIOD = 2.0  # seconds from one message for all to the next; each is followed by one for a team


class Tree(Fleet):
    """Subscribers, each at a proxy ("branch"), each of those at a proxy ("trunk"), all of them at one publisher.

    Attributes:
      published: when each message was sent, by its topic and number.
      seen: what each subscriber received, and when.
    """

    middle = "trunk-0"

    def __init__(self, net: VirtualNetwork, plan: Plan) -> None:
        super().__init__(net, plan)
        self.leaves = [f"leaf-{number}" for number in range(plan.hosts)]
        self.branches = [f"branch-{number}" for number in range(math.ceil(plan.hosts / LEAVES))]
        self.trunks = [f"trunk-{number}" for number in range(max(2, math.ceil(len(self.branches) / BRANCHES)))]
        self.above = {
            **dict(zip(self.trunks, cycle(["publisher"]))),
            **dict(zip(self.branches, cycle(self.trunks))),
            **dict(zip(self.leaves, cycle(self.branches))),
        }
        self.topics = {name: ["all", f"team-{number % TEAMS}"] for number, name in enumerate(self.leaves)}
        self.published: dict[tuple[str, int], float] = {}
        self.seen: dict[str, list[tuple[str, int, float]]] = {name: [] for name in self.leaves}

    def populate(self, nursery: trio.Nursery) -> None:
        nursery.start_soon(self.serve, "publisher", self._publish)
        for name in *self.trunks, *self.branches:
            nursery.start_soon(self.serve, name, partial(self._forward, name=name))
        for name in self.leaves:
            nursery.start_soon(self.live, name, self._follow)

    def halves(self) -> Iterable[str]:
        """Half of the proxies of each level, so that some lose those above them, and any half of the subscribers."""
        leaves = self.dice.sample(self.leaves, len(self.leaves) // 2)
        return [*self.trunks[::2], *self.branches[: len(self.branches) // 2], *leaves]

    def deliveries(self) -> int:
        return sum(map(len, self.seen.values()))

    def is_cut(self, leaf: str) -> bool:
        """Whether the fault lies between a subscriber and the publisher."""
        way = [leaf]
        while way[-1] != "publisher":
            way.append(self.above[way[-1]])
        crashed = self.plan.fault == "restart" and self.middle in way
        return crashed or len({name in self.far for name in way}) > 1

    def faults(self) -> list[str]:
        """Messages that came twice, out of order or unasked for; and those that did not come and should have.

        A subscriber whom the fault does not concern must have them all; the others all that were published before,
        and all from when everybody must be back.
        """
        faults = []
        for leaf, seen in self.seen.items():
            messages = [(topic, number) for topic, number, _ in seen]
            faults += [f"{leaf} has twice: {message}" for message in doubled(messages)]
            for topic in self.topics[leaf]:
                numbers = [number for its, number in messages if its == topic]
                if numbers != sorted(numbers):
                    faults.append(f"{leaf} has {topic} out of order")
            faults += [f"{leaf} never asked for {topic}" for topic, _ in messages if topic not in self.topics[leaf]]
            first, last = math.inf, -math.inf
            if self.is_cut(leaf):
                first, last = self.plan.before - MOMENT, self.plan.reconnected
            got = set(messages)
            for message, time in self.published.items():
                if message[0] in self.topics[leaf] and message not in got and not first <= time <= last:
                    faults.append(f"{leaf} never got {message}, published at {time:.3f}")
        return shortened(faults)

    async def _publish(self, ctx: triomq.Context) -> None:
        pub = ctx.socket(triomq.PUB, **self.plan.listening)
        await pub.bind("tcp://*:5555")
        await trio.sleep_until(self.plan.start + MOMENT)
        for number in count():
            for topic in "all", f"team-{number % TEAMS}":
                if trio.current_time() > self.plan.end:
                    await trio.sleep_forever()
                await pub.send([topic.encode(), b"%d" % number])
                self.published[topic, number] = trio.current_time()
                await trio.sleep(PERIOD / 2)

    async def _forward(self, ctx: triomq.Context, name: str) -> None:
        xsub, xpub = ctx.socket(triomq.XSUB, **self.plan.dialling), ctx.socket(triomq.XPUB, **self.plan.listening)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.diary.keep, xsub.monitor())
            xsub.connect(f"tcp://{self.above[name]}:5555")
            await xpub.bind("tcp://*:5555")
            await triomq.proxy(xsub, xpub)

    async def _follow(self, ctx: triomq.Context, name: str) -> None:
        sub = ctx.socket(triomq.SUB, topics=self.topics[name], **self.plan.dialling)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.diary.keep, sub.monitor())
            sub.connect(f"tcp://{self.above[name]}:5555")
            async for topic, number in sub:
                self.seen[name].append((topic.decode(), int(number), trio.current_time()))
