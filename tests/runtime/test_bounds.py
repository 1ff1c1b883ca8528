"""What a context may have."""

from __future__ import annotations

import errno
import math

import pytest

from triomq._runtime import Bounds


class Entrance:
    """A door with connections that are no peers yet."""

    def __init__(self, bounds: Bounds, unfinished: int) -> None:
        self.bounds = bounds
        self.unfinished = unfinished
        self.reasons: list[str] = []
        bounds.doors[self] = None

    def give_up_one(self, why: ConnectionError) -> bool:
        if not self.unfinished:
            return False
        self.unfinished -= 1
        self.bounds.connections -= 1
        self.reasons.append(str(why))
        return True


@pytest.mark.parametrize("name", ["max_sockets", "max_peers", "max_queued_bytes"])
@pytest.mark.parametrize("value", [-1, 1.5, True, "5", None, 2**63 + 1])
def test_a_limit_is_a_whole_number(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name}"):
        Bounds(**{name: value})


def test_a_context_has_no_limits_unless_they_are_given() -> None:
    bounds = Bounds(max_sockets=0, max_peers=math.inf)
    assert (bounds.max_sockets, bounds.max_peers, bounds.max_queued_bytes) == (0, math.inf, math.inf)
    assert not bounds.counts_bytes
    assert Bounds(max_queued_bytes=0).counts_bytes


def test_sockets() -> None:
    bounds = Bounds(max_sockets=2, sockets=1)
    bounds.check_sockets("Context.socket")
    bounds.sockets = 2
    with pytest.raises(OSError, match=r"Context\.socket: 2 sockets .* max_sockets=2 are allowed; close") as caught:
        bounds.check_sockets("Context.socket")
    assert caught.value.errno == errno.EMFILE


def test_a_newcomer_takes_the_place_of_one_that_is_no_peer_yet_at_its_own_door_first() -> None:
    bounds = Bounds(max_peers=3, connections=3)
    other, own = Entrance(bounds, 1), Entrance(bounds, 1)
    let_in = []
    for _ in range(4):
        let_in.append((bounds.let_in(own), own.unfinished, other.unfinished))
        bounds.connections = 3
    assert let_in == [(True, 0, 1), (True, 0, 0), (False, 0, 0), (False, 0, 0)]
    assert own.reasons == other.reasons == ["max_peers=3 of the context reached: connection closed"]


def test_nobody_makes_way_while_there_is_room() -> None:
    bounds = Bounds(max_peers=3, connections=2)
    door = Entrance(bounds, 1)
    assert bounds.let_in(door)
    assert door.unfinished == 1
