"""PULL, DEALER and PAIR: from all peers, each in turn."""

from __future__ import annotations

from typing import Any

import pytest

from triomq._patterns import Dealer, FairReceiver, Pair, Pull

from .fakes import Scene, message

EACH = pytest.mark.parametrize("kind", [Pull, Dealer, Pair], ids=lambda kind: kind.__name__)


def texts(messages: list[Any]) -> list[bytes]:
    return [bytes(each) for each in messages]


@EACH
def test_a_message_wakes_receivers_and_is_taken_as_it_is(kind: type[FairReceiver]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = scene.join()
    scene.woken()
    assert scene.pattern.take() is scene.pattern.peek() is None
    sent = message(b"a", b"", b"b")
    pipe.bring(sent)
    assert scene.woken() == {"receivers"}
    assert scene.pattern.peek() is sent
    assert scene.pattern.take() is sent
    assert scene.pattern.take() is None


@EACH
def test_a_message_behind_others_wakes_nobody(kind: type[FairReceiver]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = scene.join()
    pipe.bring(message(b"a"))
    scene.woken()
    pipe.bring(message(b"b"))
    assert scene.woken() == set()
    assert texts(scene.pattern.take_many(9)) == [b"a", b"b"]


def test_peers_are_taken_from_in_turn() -> None:
    scene = Scene(Pull)
    for texts_of_one in (b"abc", b"xy", b"1"):
        scene.join().bring(*(message(bytes([letter])) for letter in texts_of_one))
    assert texts(scene.pattern.take_many(4)) == [b"a", b"x", b"1", b"b"]
    assert texts(scene.pattern.take_many(9)) == [b"y", b"c"]
    assert scene.pattern.take_many(9) == []


@EACH
def test_what_a_peer_sent_before_it_left_is_still_taken(kind: type[FairReceiver]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = scene.join()
    pipe.bring(message(b"a"), message(b"b"))
    scene.remove(pipe)
    assert texts(scene.pattern.take_many(9)) == [b"a", b"b"]


def test_a_peer_that_came_back_by_another_pipe_is_not_heard_before_its_first_one_is_empty() -> None:
    scene = Scene(Pull)
    old, new = scene.join_many(2)
    old.bring(*(message(b"%d" % number) for number in range(3)))
    scene.remove(old)
    new.bring(message(b"3"))
    assert texts(scene.pattern.take_many(9)) == [b"0", b"1", b"2", b"3"]


@EACH
def test_closed_it_has_forgotten_what_arrived(kind: type[FairReceiver]) -> None:
    scene: Scene[Any] = Scene(kind)
    scene.join().bring(message(b"a"))
    scene.pattern.close()
    assert scene.pattern.take() is scene.pattern.peek() is None
    assert scene.pattern.take_many(9) == []


def test_of_a_conflating_peer_only_the_newest_message_is_taken() -> None:
    scene = Scene(Pull, conflate=True)
    pipe = scene.join(conflate=True)
    pipe.bring(message(b"a"), message(b"b"))
    pipe.bring(message(b"c"))
    assert texts(scene.pattern.take_many(9)) == [b"c"]
    assert (pipe.received, scene.pattern.dropped_messages) == (3, 2)


@EACH
def test_a_queue_that_has_left_wakes_the_watchers(kind: type[FairReceiver]) -> None:
    scene: Scene[Any] = Scene(kind)
    scene.pattern.drained(scene.join())
    assert "watchers" in scene.woken()
