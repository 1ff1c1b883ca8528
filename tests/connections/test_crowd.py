"""Which of the connections that are no peers yet makes way for a newcomer."""

from __future__ import annotations

import pytest

from triomq._connections._crowd import GRACE, Crowd, origin_of

LATER = 10 * GRACE


def crowd_of(*names: str, now: float = 0.0) -> Crowd[str]:
    """Connections that have arrived one after the other; the part of the name before the colon is the address."""
    crowd: Crowd[str] = Crowd()
    for number, name in enumerate(names):
        crowd.arrived(name, f"tcp://{name.partition(':')[0]}:{number}", now + number / 1e6)
    return crowd


def order(crowd: Crowd[str], now: float = LATER) -> list[str]:
    """Who makes way, one after the other."""
    gone = []
    while (who := crowd.who_makes_way(now)) is not None:
        crowd.left(who)
        gone.append(who)
    return gone


def test_the_oldest_goes_first() -> None:
    assert order(crowd_of("a:1", "a:2", "a:3")) == ["a:1", "a:2", "a:3"]
    assert order(crowd_of("c:1", "b:1", "a:1")) == ["c:1", "b:1", "a:1"]


def test_the_address_with_most_loses_one_first() -> None:
    assert order(crowd_of("a:1", "b:1", "b:2", "b:3", "a:2")) == ["b:1", "a:1", "b:2", "b:3", "a:2"]


def test_who_has_said_something_goes_after_those_who_have_not() -> None:
    crowd = crowd_of("a:1", "a:2", "a:3", "b:1")
    crowd.heard("a:2", 0.5)
    crowd.heard("a:1", 1.0)
    assert order(crowd) == ["a:3", "b:1", "a:2", "a:1"]


def test_who_has_just_come_is_not_called_silent_yet() -> None:
    """A thousand that said one word must not push out newcomers who had no time for one."""
    crowd = crowd_of("a:1", "a:2")
    for one in ("a:1", "a:2"):
        crowd.heard(one, 0.0)
    crowd.arrived("b:1", "tcp://b:1", LATER)
    assert crowd.who_makes_way(LATER) == "a:1"
    assert crowd.who_makes_way(LATER + GRACE) == "b:1"


def test_a_burst_of_silent_ones_pushes_out_none_that_talks() -> None:
    crowd = crowd_of("b:1", *(f"a:{number}" for number in range(5)), now=LATER)
    crowd.heard("b:1", LATER)
    assert order(crowd)[:4] == ["a:0", "a:1", "a:2", "a:3"]


def test_the_count_is_of_those_who_are_there() -> None:
    crowd = crowd_of("a:1", "a:2")
    crowd.heard("a:1", 1.0)
    assert (crowd.greeting, crowd.waiting) == (2, 0)
    crowd.waits("a:1", "tcp://a:1", b"name", 2.0)
    assert (crowd.greeting, crowd.waiting) == (1, 1)
    crowd.left("a:1")
    crowd.left("a:1")
    crowd.left("a:2")
    assert (crowd.greeting, crowd.waiting) == (0, 0)
    assert crowd.who_makes_way(LATER) is None
    assert crowd.who_waits_no_longer() is None


def test_of_those_who_wait_the_oldest_of_the_longest_line_goes() -> None:
    crowd = crowd_of("a:1", "b:1", "b:2", "b:3")
    for number, (who, name) in enumerate([("a:1", b"x"), ("b:1", b"y"), ("b:2", b"x"), ("b:3", b"x")]):
        crowd.waits(who, f"tcp://{who}", name, float(number))
    assert crowd.who_waits_no_longer() == "b:2"
    crowd.left("b:2")
    assert crowd.who_waits_no_longer() == "a:1"


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("tcp://10.0.0.1:5555", "tcp://10.0.0.1"),
        ("tcp://evil:49152", "tcp://evil"),
        ("ipc:///tmp/feed", "ipc:///tmp/feed"),
        ("tcp://[2001:db8::1]:5555", "tcp://[20010db800000000]"),
        ("tcp://[2001:db8::2]:7", "tcp://[20010db800000000]"),
        ("tcp://[2001:db8:1::1]:5555", "tcp://[20010db800010000]"),
        ("mine://whoever", "mine://whoever"),
    ],
)
def test_an_address_without_its_port_is_the_origin(address: str, origin: str) -> None:
    """And the network of an IPv6 host, who mostly has all the addresses of it."""
    assert origin_of(address) == origin
