"""A ROUTER/DEALER broker with many clients and some workers."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

import trio

import triomq
from triomq.testing import VirtualNetwork

from .fleet import MOMENT, Fleet, Plan, doubled, shortened

WORKERS = 8
PERIOD = 5.0  # seconds from one request of a client to its next


class Broker(Fleet):
    """Clients that ask one broker, behind which workers answer.

    Attributes:
      asked: when each request was handed to its client's socket, by its text.
      worked: the requests as the workers got them.
      answered: the replies as the clients got them, and when.
    """

    middle = "broker"

    def __init__(self, net: VirtualNetwork, plan: Plan) -> None:
        super().__init__(net, plan)
        self.clients = [f"client-{number}" for number in range(plan.hosts)]
        self.workers = [f"worker-{number}" for number in range(WORKERS)]
        self.asked: dict[bytes, float] = {}
        self.worked: list[bytes] = []
        self.answered: list[tuple[bytes, float]] = []

    def populate(self, nursery: trio.Nursery) -> None:
        nursery.start_soon(self.serve, "broker", self._broker)
        for name in self.workers:
            nursery.start_soon(self.serve, name, self._worker)
        for name in self.clients:
            nursery.start_soon(self.live, name, self._client)

    def halves(self) -> Iterable[str]:
        """Half of the clients, and half of the workers."""
        return [*self.dice.sample(self.clients, len(self.clients) // 2), *self.workers[::2]]

    def deliveries(self) -> int:
        return len(self.worked) + len(self.answered)

    def waiting(self) -> list[tuple[float, int]]:
        return [(time, 1) for time in self.asked.values()] + [(time, -1) for _, time in self.answered]

    def faults(self) -> list[str]:
        """Requests and replies that came twice; and requests without a reply that nothing excuses.

        What excuses: it was on its way, or written to a connection that nobody knew to be dead. What a client queued
        while it had no connection is none of that, and must be answered.
        """
        plan = self.plan
        replies = {reply for reply, _ in self.answered}
        faults = [f"worked on twice: {request!r}" for request in doubled(self.worked)]
        faults += [f"answered twice: {reply!r}" for reply in doubled(reply for reply, _ in self.answered)]
        faults += [f"nobody asked: {reply!r}" for reply in replies - self.asked.keys()]
        for request, time in self.asked.items():
            excused = plan.fault != "none" and plan.before - MOMENT <= time <= plan.noticed
            if request not in replies and not excused:
                faults.append(f"never answered: {request!r}, asked at {time:.3f}")
        return shortened(faults)

    async def _broker(self, ctx: triomq.Context) -> None:
        frontend = ctx.socket(triomq.ROUTER, **self.plan.listening)
        backend = ctx.socket(triomq.DEALER, **self.plan.listening)
        await frontend.bind("tcp://*:5555")
        await backend.bind("tcp://*:6666")
        await triomq.proxy(frontend, backend)

    async def _worker(self, ctx: triomq.Context) -> None:
        rep = ctx.socket(triomq.REP, **self.plan.dialling)
        rep.connect("tcp://broker:6666")
        async for message in rep:
            self.worked.append(message[0])
            await rep.send(message)

    async def _client(self, ctx: triomq.Context, name: str) -> None:
        dealer = ctx.socket(triomq.DEALER, **self.plan.dialling)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.diary.keep, dealer.monitor())
            dealer.connect("tcp://broker:5555")
            nursery.start_soon(self._gather, dealer)
            for number in count():
                if trio.current_time() > self.plan.end:
                    await trio.sleep_forever()
                request = f"{name} {number}".encode()
                await dealer.send([b"", request])
                self.asked[request] = trio.current_time()
                await trio.sleep(PERIOD)

    async def _gather(self, dealer: triomq.DEALER) -> None:
        async for _, reply in dealer:
            self.answered.append((reply, trio.current_time()))
