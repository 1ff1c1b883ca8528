"""Trying to read the answer before other tasks run: when, for how long, and what others get of the loop."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import trio

import triomq
from triomq._message import Message
from triomq._sockets._receivers import Receivers
from triomq.testing import VirtualNetwork

from ..cancellation.kit import run

SECONDS = 30e-6
REPLY = Message([b"reply"])


class Pipe:
    """The pipe of the only peer."""

    def __init__(self, source: Any) -> None:
        self.sent = 0
        self.waiting = 0
        self.inbox = SimpleNamespace(source=source)

    def queued(self) -> int:
        return self.waiting


class Connection:
    """A connection that brings a message at a certain look, if it does; also the pattern, and the clock."""

    def __init__(
        self,
        *,
        brings_at: float = float("inf"),
        ends_at: float = float("inf"),
        look_takes: float = 0,
        straight: bool = False,
    ) -> None:
        self.looks = self.returned = 0
        self.time = 0.0
        self._brings_at, self._ends_at, self._look_takes = brings_at, ends_at, look_takes
        self._straight = straight  # not by the inbox
        self.borrowed = False
        self.lent = True
        self.pipe = Pipe(self)

    def lend(self) -> Connection | None:
        self.borrowed = self.lent
        return self if self.lent else None

    def take_in(self) -> Message | None:
        self.looks += 1
        self.time += self._look_takes
        self.borrowed = self.looks < self._ends_at
        return REPLY if self._straight and self.looks >= self._brings_at else None

    def take(self) -> Message | None:
        return REPLY if not self._straight and self.looks >= self._brings_at else None

    def give_back(self) -> None:
        self.returned += 1

    def now(self) -> float:
        return self.time


def poller(connection: Connection) -> Callable[[], Message | None]:
    pattern: Any = SimpleNamespace(pipes={connection.pipe: None}, take=connection.take)
    receivers = Receivers(pattern, "closed")
    return lambda: receivers.poll(SECONDS, connection.now)


def sent(connection: Connection) -> Callable[[], Message | None]:
    """As `poller`, and something was sent to the peer."""
    poll = poller(connection)
    connection.pipe.sent = 1
    return poll


def test_a_socket_that_has_sent_nothing_does_not_look() -> None:
    connection = Connection(brings_at=1)
    assert poller(connection)() is None
    assert (connection.looks, connection.returned) == (0, 1)


def test_what_waits_to_be_sent_is_not_answered_yet() -> None:
    connection = Connection(brings_at=1)
    poll = sent(connection)
    connection.pipe.waiting = 1
    assert poll() is None
    assert connection.looks == 0


@pytest.mark.parametrize("straight", [False, True])
@pytest.mark.parametrize("at", [1, 2, 7])
def test_an_answer_that_comes_in_time_is_taken(at: int, straight: bool) -> None:
    connection = Connection(brings_at=at, look_takes=1e-6, straight=straight)
    assert sent(connection)() is REPLY
    assert (connection.looks, connection.returned) == (at, 1)


def test_one_thing_sent_is_waited_for_once() -> None:
    connection = Connection(brings_at=1, look_takes=1e-6)
    poll = sent(connection)
    assert poll() is REPLY
    assert poll() is None
    assert connection.looks == 1


def test_it_looks_for_as_long_as_was_asked_and_no_longer() -> None:
    connection = Connection(look_takes=3e-6)
    assert sent(connection)() is None
    assert SECONDS <= connection.time <= SECONDS + 2 * 3e-6
    assert connection.returned == 1


def test_it_ends_though_the_clock_stands_still() -> None:
    connection = Connection()
    assert sent(connection)() is None
    assert 0 < connection.looks <= SECONDS / 1e-6 + 1


def test_it_ends_with_the_connection() -> None:
    connection = Connection(ends_at=3)
    assert sent(connection)() is None
    assert (connection.looks, connection.returned) == (3, 1)


def test_a_connection_that_cannot_be_read_now_is_left_alone() -> None:
    connection = Connection()
    poll = sent(connection)
    connection.lent = False
    assert poll() is None
    assert (connection.looks, connection.returned) == (0, 0)


@pytest.mark.parametrize("socket_type", [triomq.PUSH, triomq.PULL, triomq.PUB, triomq.SUB, triomq.XPUB, triomq.XSUB])
async def test_it_is_for_types_that_answer_or_are_answered(socket_type: Any, virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        with pytest.raises(TypeError, match="busy_poll"):
            ctx.socket(socket_type, busy_poll=SECONDS)


@pytest.mark.parametrize("scheme", ["tcp", "inproc"])
def test_requests_get_their_replies_and_cancelled_ones_do_not_mix_them(scheme: str) -> None:
    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx, trio.open_nursery() as nursery:
            rep, req = ctx.socket(triomq.REP, busy_poll=SECONDS), ctx.socket(triomq.REQ, busy_poll=SECONDS)
            req.connect(await rep.bind(f"{scheme}://{'127.0.0.1:5555' if scheme == 'tcp' else 'it'}"))

            async def serve() -> None:
                while True:
                    await rep.send(await rep.receive())

            nursery.start_soon(serve)
            for number in range(200):
                with trio.CancelScope() as scope:
                    if number % 3 == 1:
                        scope.cancel()
                    assert await req.request(b"%d" % number) == (b"%d" % number,)
                assert scope.cancelled_caught is (number % 3 == 1)
            nursery.cancel_scope.cancel()

    run(main, scheme=scheme)
