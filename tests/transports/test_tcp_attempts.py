"""Several addresses of one host: in which order, when, and who wins. Virtual time, no network."""

from __future__ import annotations

import errno
import math
import socket

import pytest
import trio
import trio.testing

from triomq._transports._tcp import _alternate, _first, _Route
from triomq._transports._tcp_address import Target


def ipv4(last: int) -> Target:
    return Target(socket.AF_INET, (f"192.0.2.{last}", 5))


def ipv6(last: int) -> Target:
    return Target(socket.AF_INET6, (f"2001:db8::{last}", 5, 0, 0))


class FakeStream:
    closed = False

    def close(self) -> None:
        self.closed = True


class Network:
    """Addresses that answer, or refuse (a negative time), after so many seconds."""

    def __init__(self, *answers: float) -> None:
        self.routes = [_Route(ipv4(number), None) for number in range(len(answers))]
        self.answers = dict(zip(self.routes, answers, strict=True))
        self.begun: list[float] = []
        self.streams: dict[int, FakeStream] = {}

    async def attempt(self, route: _Route):
        number = self.routes.index(route)
        self.begun.append(trio.current_time())
        answer = self.answers[route]
        await trio.sleep(abs(answer))
        if answer < 0:
            raise OSError(errno.ECONNREFUSED, "Connection refused")
        self.streams[number] = FakeStream()
        return self.streams[number]

    async def first(self):
        return await _first(self.routes, self.attempt)


@pytest.mark.parametrize(
    ("answers", "winner", "begun"),
    [
        ([1.0], 0, [0.0]),
        ([0.1, 0.1], 0, [0.0]),
        ([math.inf, 0.1], 1, [0.0, 0.25]),  # silence costs one stagger
        ([-0.1, 0.1], 1, [0.0, 0.1]),  # a refusal costs nothing more
        ([0.6, math.inf, math.inf, math.inf], 0, [0.0, 0.25, 0.5]),  # the slow first still counts
        ([-0.3, -0.3, 0.1], 2, [0.0, 0.25, 0.5]),
        ([9.0, -0.1, 1.0], 2, [0.0, 0.25, 0.35]),
    ],
)
async def test_attempts_are_staggered(autojump_clock, answers, winner, begun):
    network = Network(*answers)
    stream = await network.first()
    assert stream is network.streams[winner]
    assert not stream.closed
    assert network.begun == pytest.approx(begun)


async def test_all_attempts_fail(autojump_clock):
    network = Network(-0.1, -1.0, -0.2)
    with pytest.raises(ConnectionRefusedError) as caught:
        await network.first()
    assert caught.value.strerror.count("Connection refused") == 3
    assert "tcp://192.0.2.1:5" in caught.value.strerror
    assert trio.current_time() == pytest.approx(1.1)


async def test_an_answer_that_comes_after_the_winners_is_closed(autojump_clock):
    network = Network(0.5, 0.25)
    attempt = network.attempt

    async def unstoppable(route: _Route):
        with trio.CancelScope(shield=True):
            return await attempt(route)

    network.attempt = unstoppable
    stream = await network.first()
    assert len(network.streams) == 2
    assert [other for other in network.streams.values() if not other.closed] == [stream]


async def test_cancellation_while_attempts_are_under_way(autojump_clock):
    network = Network(9.0, 9.0)
    with trio.move_on_after(1) as scope:
        await network.first()
    assert scope.cancelled_caught
    assert network.streams == {}


async def test_cancellation_just_as_one_answers(autojump_clock):
    """Nobody will get the stream any more: it is closed."""
    network = Network(1.0, 9.0)
    attempt = network.attempt

    async def cancel_with_the_answer(route: _Route):
        stream = await attempt(route)
        scope.cancel()
        return stream

    network.attempt = cancel_with_the_answer
    with trio.CancelScope() as scope:
        await network.first()
    assert scope.cancelled_caught
    assert network.streams[0].closed


def test_ip_versions_alternate_once():
    assert _alternate([]) == []
    assert _alternate([ipv6(1), ipv6(2)]) == [ipv6(1), ipv6(2)]
    assert _alternate([ipv6(1), ipv6(2), ipv4(1), ipv4(2)]) == [ipv6(1), ipv4(1), ipv6(2), ipv4(2)]
    assert _alternate([ipv4(1), ipv6(1)]) == [ipv4(1), ipv6(1)]
