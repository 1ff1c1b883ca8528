"""SUB and XSUB: the messages that were asked for, and what publishers are told of that."""

from __future__ import annotations

from typing import Any

import pytest

from triomq._patterns import Subscriber, XSubscriber
from triomq.zmtp import Cancel, Subscribe

from .fakes import FakePipe, Scene, message, outboxes

EACH = pytest.mark.parametrize("kind", [Subscriber, XSubscriber], ids=lambda kind: kind.__name__)


def texts(scene: Scene[Any]) -> list[bytes]:
    return [each[0] for each in scene.pattern.take_many(99)]


def said(pipe: FakePipe) -> list[object]:
    """What the publisher was told since the last call of this."""
    controls, pipe.controls = pipe.controls, []
    return [Subscribe(one.topic) if isinstance(one, Subscribe) else one for one in controls]


@EACH
def test_every_connected_publisher_is_told_each_subscription_and_the_last_cancellation(kind: type[Subscriber]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipes = scene.join_many(2)
    scene.pattern.subscribe(b"a")
    scene.pattern.subscribe(b"a")
    assert scene.pattern.unsubscribe(b"a")
    assert [said(pipe) for pipe in pipes] == [[Subscribe(b"a"), Subscribe(b"a")]] * 2
    assert scene.pattern.unsubscribe(b"a")
    assert [said(pipe) for pipe in pipes] == [[Cancel(b"a")]] * 2
    assert not scene.pattern.unsubscribe(b"a")
    assert [said(pipe) for pipe in pipes] == [[]] * 2


@EACH
def test_a_publisher_that_comes_is_told_what_holds_then(kind: type[Subscriber]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = scene.expect()
    for topic in (b"a", b"b", b"a"):
        scene.pattern.subscribe(topic)
    assert said(pipe) == []
    scene.admit(pipe)
    assert said(pipe) == [Subscribe(b"a"), Subscribe(b"b")]
    scene.lose(pipe)
    scene.pattern.unsubscribe(b"b")
    assert said(pipe) == []
    scene.admit(pipe)
    assert said(pipe) == [Subscribe(b"a")]


@EACH
def test_what_had_arrived_before_the_cancellation_is_still_received(kind: type[Subscriber]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = scene.join()
    scene.pattern.subscribe(b"a")
    pipe.bring(message(b"a1", b"body"))
    scene.pattern.unsubscribe(b"a")
    pipe.bring(message(b"a2", b"body"))
    assert texts(scene) == [b"a1"]


@EACH
@pytest.mark.parametrize("further", [0, 40], ids=["few topics", "many topics"])
@pytest.mark.parametrize(
    ("topics", "wanted"),
    [
        ([], []),
        ([b""], [b"a", b"ab", b"b", b""]),
        ([b"a"], [b"a", b"ab"]),
        ([b"ab", b"b"], [b"ab", b"b"]),
    ],
)
def test_only_what_begins_with_a_topic_is_received(
    kind: type[Subscriber], topics: list[bytes], wanted: list[bytes], further: int
) -> None:
    """A publisher may not know yet what was cancelled, or not filter at all."""
    scene: Scene[Any] = Scene(kind)
    pipe = scene.join()
    for topic in [*topics, *(b"zz%d" % number for number in range(further))]:
        scene.pattern.subscribe(topic)
    pipe.bring(*(message(text, b"body") for text in (b"a", b"ab", b"b", b"")))
    assert texts(scene) == wanted
    assert pipe.received == len(wanted)


@EACH
@pytest.mark.parametrize("further", [0, 40], ids=["few topics", "many topics"])
def test_inverted_all_else_is_received(kind: type[Subscriber], further: int) -> None:
    scene: Scene[Any] = Scene(kind, invert_matching=True)
    pipe = scene.join()
    for topic in [b"a", *(b"zz%d" % number for number in range(further))]:
        scene.pattern.subscribe(topic)
    pipe.bring(*map(message, (b"a", b"ab", b"b", b"")))
    assert texts(scene) == [b"b", b""]


@EACH
def test_what_was_cancelled_meanwhile_is_received_if_it_had_arrived(kind: type[Subscriber]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = scene.join()
    scene.pattern.subscribe(b"a")
    pipe.bring(message(b"a1"))
    scene.pattern.unsubscribe(b"a")
    pipe.bring(message(b"a2"))
    assert texts(scene) == [b"a1"]


@EACH
def test_what_is_not_wanted_wakes_nobody(kind: type[Subscriber]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = scene.join()
    scene.pattern.subscribe(b"a")
    scene.woken()
    pipe.bring(message(b"b"))
    assert scene.woken() == set()
    pipe.bring(message(b"a"))
    assert scene.woken() == {"receivers"}


@EACH
def test_publishers_are_taken_from_in_turn(kind: type[Subscriber]) -> None:
    scene: Scene[Any] = Scene(kind)
    scene.pattern.subscribe(b"")
    for letters in (b"abc", b"xy"):
        scene.join().bring(*(message(bytes([letter])) for letter in letters))
    assert texts(scene) == [b"a", b"x", b"b", b"y", b"c"]


# --- XSUB --------------------------------------------------------------------------------------


def test_an_xsub_subscribes_by_what_it_sends() -> None:
    scene = Scene(XSubscriber)
    pipe = scene.join()
    for frame in (b"\1a", b"\1a", b"\0a", b"\0a", b"\0a", b"\1"):
        assert scene.pattern.submit((frame,))
    assert said(pipe) == [Subscribe(b"a"), Subscribe(b"a"), Cancel(b"a"), Subscribe(b"")]
    assert pipe.outbox == []
    assert list(scene.pattern.topics) == [b""]


def test_what_else_an_xsub_sends_goes_to_every_publisher_that_is_there() -> None:
    scene = Scene(XSubscriber)
    pipes = [scene.join(), scene.join(room=0), scene.expect()]
    assert scene.pattern.submit((b"\2x", b"m"))
    assert scene.pattern.submit((b"", b"n"))
    assert outboxes(pipes) == [[b"m", b"n"], [], []]
    assert [pipe.dropped for pipe in pipes] == [0, 2, 0]


def test_an_xsub_never_waits_to_send() -> None:
    pattern = Scene(XSubscriber).pattern
    assert pattern.can_submit()
    assert pattern.would_accept((b"m",))
    assert pattern.submit((b"m",))
