"""A million calls that are cancelled, and not one message lost, doubled or out of place."""

from __future__ import annotations

import random

import pytest
import trio

import triomq

CALLS = 1_000_000

pytestmark = pytest.mark.soak


class Canceller:
    """Runs calls under scopes that end at a random one of the next few schedule points."""

    def __init__(self, seed: int) -> None:
        self.cancelled = 0
        self._random = random.Random(seed)
        self._scopes: dict[trio.CancelScope, int] = {}

    async def tick(self) -> None:
        """Cancel whose time has come, for ever."""
        while True:
            for scope, left in list(self._scopes.items()):
                self._scopes[scope] = left - 1
                if left <= 0:
                    scope.cancel()
            await trio.lowlevel.checkpoint()

    def scope(self) -> trio.CancelScope:
        scope = trio.CancelScope()
        self._scopes[scope] = self._random.randrange(4)
        return scope

    def done(self, scope: trio.CancelScope) -> None:
        del self._scopes[scope]
        self.cancelled += scope.cancelled_caught


@pytest.mark.parametrize("endpoint", ["inproc://soak", "tcp://127.0.0.1:0"])
def test_a_million_cancelled_sends_and_receives(endpoint: str) -> None:
    """Senders try again with what was cancelled; receivers of which most are cancelled see every message once."""

    async def send(push: triomq.PUSH, who: int, canceller: Canceller) -> None:
        serial = 0
        while canceller.cancelled < CALLS:
            scope = canceller.scope()
            with scope:
                await push.send([b"%d" % who, b"%d" % serial])
                serial += 1
            canceller.done(scope)
        await push.send([b"%d" % who, b"end"])

    async def receive(pull: triomq.PULL, canceller: Canceller, expected: dict[bytes, int], ended: set[bytes]) -> None:
        while len(ended) < 2:
            scope = canceller.scope()
            with scope:
                who, serial = await pull.receive()
                if serial == b"end":
                    ended.add(who)
                else:
                    assert int(serial) == expected.setdefault(who, 0)
                    expected[who] += 1
            canceller.done(scope)

    async def main() -> None:
        canceller = Canceller(seed=2)
        expected: dict[bytes, int] = {}
        ended: set[bytes] = set()
        async with triomq.open_context() as ctx:
            push, pull = ctx.socket(triomq.PUSH, hwm=2), ctx.socket(triomq.PULL, hwm=2)
            push.connect(await pull.bind(endpoint))
            async with trio.open_nursery() as ticking:
                ticking.start_soon(canceller.tick)
                async with trio.open_nursery() as nursery:
                    for who in range(2):
                        nursery.start_soon(send, push, who, canceller)
                    nursery.start_soon(receive, pull, canceller, expected, ended)
                ticking.cancel_scope.cancel()
            assert canceller.cancelled >= CALLS
            assert sum(expected.values()) > CALLS // 10
            assert pull.statistics().messages_dropped == push.statistics().messages_dropped == 0

    trio.run(main)
