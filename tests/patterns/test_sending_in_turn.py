"""PUSH, DEALER and PAIR: to the next peer that has room; and what each of them wants of its peers."""

from __future__ import annotations

import math
from typing import Any

import pytest

from triomq import PeerUnwantedError, WrongStateError
from triomq._patterns import Dealer, Pair, Push, RoundRobin

from .fakes import Scene, bodies, message, outboxes

EACH = pytest.mark.parametrize("kind", [Push, Dealer, Pair], ids=lambda kind: kind.__name__)
SEVERAL = pytest.mark.parametrize("kind", [Push, Dealer], ids=lambda kind: kind.__name__)


def send(scene: Scene[Any], *texts: bytes) -> list[bool]:
    return [scene.pattern.submit((text,)) for text in texts]


@EACH
def test_without_a_peer_nothing_is_accepted(kind: type[RoundRobin]) -> None:
    scene: Scene[Any] = Scene(kind)
    assert not scene.pattern.can_submit()
    assert not scene.pattern.would_accept((b"m",))
    assert scene.pattern.room_for_many() == 0
    assert send(scene, b"m") == [False]


@EACH
def test_a_peer_that_is_yet_to_come_is_sent_to(kind: type[RoundRobin]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = scene.expect()
    assert scene.woken() == {"senders"}
    assert scene.pattern.can_submit()
    assert send(scene, b"m") == [True]
    assert outboxes([pipe]) == [[b"m"]]


@SEVERAL
def test_each_peer_in_turn_passing_over_the_full(kind: type[RoundRobin]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipes = [scene.join(room=2), scene.join(room=0), scene.join(room=3)]
    assert send(scene, *b"a b c d e f".split()) == [True] * 5 + [False]
    assert outboxes(pipes) == [[b"a", b"c"], [], [b"b", b"d", b"e"]]


@EACH
def test_room_at_a_peer_wakes_senders_and_the_peer_is_sent_to(kind: type[RoundRobin]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = scene.join(room=1)
    assert send(scene, b"a", b"b") == [True, False]
    scene.woken()
    assert bodies(pipe.leave()) == [b"a"]
    assert scene.woken() == {"senders"}
    assert send(scene, b"c") == [True]


@EACH
def test_a_disconnected_peer_with_room_is_not_sent_to(kind: type[RoundRobin]) -> None:
    """It only sends what it has."""
    scene: Scene[Any] = Scene(kind)
    pipe = scene.expect(room=1)
    send(scene, b"a", b"b")
    scene.retire(pipe)
    pipe.leave()
    assert send(scene, b"c") == [False]
    assert pipe.outbox == []


@SEVERAL
def test_when_a_peer_leaves_in_the_midst_the_others_go_on(kind: type[RoundRobin]) -> None:
    scene: Scene[Any] = Scene(kind)
    gone, stays = scene.join_many(2)
    send(scene, b"a", b"b")
    scene.remove(gone)
    send(scene, b"c", b"d")
    assert outboxes([gone, stays]) == [[], [b"b", b"c", b"d"]]
    assert scene.pattern.dropped_messages == 1


@EACH
def test_a_peer_that_is_lost_and_may_come_back_is_still_sent_to(kind: type[RoundRobin]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = scene.expect()
    scene.admit(pipe)
    scene.lose(pipe)
    assert send(scene, b"a") == [True]
    assert outboxes([pipe]) == [[b"a"]]


@pytest.mark.parametrize(
    ("rooms", "room", "sent"),
    [
        ([], 0, []),
        ([5], 5, [[b"a", b"b"]]),
        ([0], 0, []),
        ([math.inf], math.inf, [[b"a", b"b"]]),
        ([5, 4], 8, [[b"a"], [b"b"]]),
    ],
    ids=str,
)
def test_many_at_once_are_for_the_peers_in_turn(rooms: list[float], room: float, sent: list[list[bytes]]) -> None:
    scene = Scene(Push)
    pipes = [scene.join(room=each) for each in rooms]
    assert scene.pattern.room_for_many() == room
    if room:
        scene.pattern.submit_many([(b"a",), (b"b",)])
        assert outboxes(pipes) == sent


@EACH
def test_a_sender_that_waits_is_not_overtaken_and_none_is_refused_for_good(kind: type[RoundRobin]) -> None:
    assert kind.full_for_all
    assert kind.never_refuses


def test_what_a_pull_says_to_a_push_is_dropped_and_counted() -> None:
    scene = Scene(Push)
    pipe = scene.join()
    pipe.bring(message(b"a"), message(b"b"))
    assert (pipe.dropped, pipe.received, len(pipe.inbox.queue)) == (2, 0, 0)
    assert scene.pattern.dropped_messages == 2


@pytest.mark.parametrize(("asked", "probes"), [(False, []), (True, [b""])])
def test_a_dealer_probes_each_new_peer_if_asked_to(asked: bool, probes: list[bytes]) -> None:
    scene = Scene(Dealer, probe_router=asked)
    pipe = scene.expect()
    assert pipe.outbox == []
    scene.admit(pipe)
    assert outboxes([pipe]) == [probes]
    scene.lose(pipe)
    scene.admit(pipe)
    assert outboxes([pipe]) == [probes * 2]


# --- PAIR --------------------------------------------------------------------------------------


def test_a_pair_wants_no_second_peer_and_the_first_one_stays() -> None:
    scene = Scene(Pair)
    first = scene.join()
    with pytest.raises(PeerUnwantedError, match="has its peer already"):
        scene.join()
    send(scene, b"m")
    assert outboxes([first]) == [[b"m"]]


def test_a_pair_that_is_yet_to_find_its_peer_takes_whoever_is_there_first() -> None:
    scene = Scene(Pair)
    expected = scene.expect()
    send(scene, b"for the one that I look for")
    came = scene.join()
    assert send(scene, b"a") == [True]
    assert outboxes([expected, came]) == [[b"for the one that I look for"], [b"a"]]
    with pytest.raises(PeerUnwantedError):
        scene.admit(expected)


def test_a_pair_takes_the_peer_that_it_waited_for_each_time() -> None:
    scene = Scene(Pair)
    pipe = scene.expect()
    for _ in range(2):
        scene.admit(pipe)
        scene.lose(pipe)


def test_a_pair_whose_peer_has_gone_wants_another() -> None:
    scene = Scene(Pair)
    scene.remove(scene.join())
    second = scene.join()
    send(scene, b"m")
    assert outboxes([second]) == [[b"m"]]


def test_a_connected_pair_wants_no_other_endpoint() -> None:
    pattern = Scene(Pair).pattern
    pattern.check_endpoint([])
    with pytest.raises(WrongStateError, match="this PAIR is connected to tcp://x"):
        pattern.check_endpoint(["tcp://x"])


def test_a_bound_pair_that_has_its_peer_does_not_connect() -> None:
    scene = Scene(Pair)
    scene.pattern.check_connect()
    scene.join()
    with pytest.raises(WrongStateError, match="has its peer already, by fake://p0"):
        scene.pattern.check_connect()


@SEVERAL
def test_other_types_connect_and_bind_as_often_as_they_like(kind: type[RoundRobin]) -> None:
    scene: Scene[Any] = Scene(kind)
    scene.join_many(2)
    scene.pattern.check_connect()
    scene.pattern.check_endpoint(["tcp://x"])
