"""A subscriber that has waited misses nothing that libzmq's publisher sends from then on."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import zmq

import triomq

pytestmark = pytest.mark.interop
ROUNDS = 100


class Busy:
    """A publisher in a thread that never rests: it sends something of no interest, over and over, and what it is told.

    libzmq looks for new subscriptions the less often the faster it sends.
    """

    def __init__(self, socket_type: int) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(socket_type)
        self._socket.linger = 0
        self.endpoint = f"tcp://127.0.0.1:{self._socket.bind_to_random_port('tcp://127.0.0.1')}"
        self._order: list[bytes] = []
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="a busy publisher")
        self._thread.start()

    def _run(self) -> None:
        while not self._ended:
            self._socket.send(b"noise")
            if self._order:
                self._socket.send(self._order.pop())

    def publish(self, message: bytes) -> None:
        self._order.append(message)

    def end(self) -> None:
        self._ended = True
        self._thread.join()
        self._context.destroy(0)


@pytest.fixture(params=["PUB", "XPUB"])
def busy(request: pytest.FixtureRequest) -> Iterator[Busy]:
    publisher = Busy(getattr(zmq, request.param))
    yield publisher
    publisher.end()


async def test_a_new_subscriber_that_has_waited_misses_nothing(ctx: triomq.Context, busy: Busy) -> None:
    for number in range(ROUNDS):
        topic = b"%d" % number
        async with ctx.socket(triomq.SUB, topics=[topic]) as sub:
            sub.connect(busy.endpoint)
            await sub.wait_peers()
            busy.publish(topic)
            assert await sub.receive() == (topic,)


async def test_a_new_subscription_that_was_waited_for_misses_nothing(ctx: triomq.Context, busy: Busy) -> None:
    sub = ctx.socket(triomq.SUB)
    sub.connect(busy.endpoint)
    for number in range(ROUNDS):
        topic = b"%d" % number
        sub.subscribe(topic)
        await sub.wait_subscribed()
        busy.publish(topic)
        assert await sub.receive() == (topic,)


async def test_an_xsub_that_has_waited_misses_nothing(ctx: triomq.Context, busy: Busy) -> None:
    xsub = ctx.socket(triomq.XSUB)
    xsub.connect(busy.endpoint)
    for number in range(ROUNDS):
        topic = b"%d" % number
        await xsub.send(b"\1" + topic)
        await xsub.wait_subscribed()
        busy.publish(topic)
        assert await xsub.receive() == (topic,)
