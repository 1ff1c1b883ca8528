"""A message that comes by itself goes straight to the task that waits, where the pattern lets it."""

from __future__ import annotations

from typing import Any

import pytest

from triomq._patterns import Dealer, FairReceiver, Pair, Pull, Rep, Req, Router, Subscriber, XPublisher

from .fakes import Scene, message


@pytest.mark.parametrize("kind", [Pull, Dealer, Pair], ids=lambda kind: kind.__name__)
def test_what_came_is_what_is_received(kind: type[FairReceiver]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = scene.join()
    scene.woken()
    came = (b"a", b"", b"b")
    assert pipe.receive_lone(came) is came
    assert (pipe.received, scene.pattern.take(), scene.woken()) == (1, None, set())


@pytest.mark.parametrize("kind", [Pull, Dealer, Pair], ids=lambda kind: kind.__name__)
def test_behind_another_message_it_waits_for_its_turn(kind: type[FairReceiver]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = scene.join()
    pipe.bring(message(b"a"))
    assert pipe.receive_lone((b"b",)) is None
    assert scene.pattern.take_many(9) == [(b"a",), (b"b",)]
    assert pipe.received == 2


def test_a_receiver_that_takes_in_its_own_way_is_asked_for_it() -> None:
    class Loud(Pull):
        def take(self) -> tuple[bytes, ...] | None:
            taken = super().take()
            return None if taken is None else tuple(frame.upper() for frame in taken)

    scene = Scene(Loud)
    assert scene.join().receive_lone((b"a",)) is None
    assert scene.pattern.take() == (b"A",)


@pytest.mark.parametrize("kind", [Router, Subscriber, XPublisher], ids=lambda kind: kind.__name__)
def test_what_the_pattern_interprets_is_delivered(kind: Any) -> None:
    scene: Scene[Any] = Scene(kind)
    if kind is Subscriber:
        scene.pattern.subscribe(b"")
    pipe = scene.join()
    pipe.routing_id = b"id"
    assert pipe.receive_lone((b"a",)) is None
    assert scene.pattern.take() == ((b"id", b"a") if kind is Router else (b"a",))
    assert pipe.received == 1


# --- REQ ------------------------------------------------------------------------------------------------------------


def test_the_reply_ends_the_exchange() -> None:
    scene = Scene(Req)
    pipe = scene.join()
    scene.pattern.submit((b"q",))
    assert pipe.receive_lone((b"", b"x", b"", b"y")) == (b"x", b"", b"y")
    assert (scene.pattern.asked, pipe.received, pipe.dropped) == (None, 1, 0)
    assert scene.pattern.submit((b"next",))


@pytest.mark.parametrize("came", [(b"x",), (b"",), (b"id", b"", b"x")], ids=["bare", "empty", "behind an id"])
def test_what_is_no_reply_is_dropped(came: tuple[bytes, ...]) -> None:
    scene = Scene(Req)
    pipe = scene.join()
    scene.pattern.submit((b"q",))
    assert pipe.receive_lone(came) is None
    assert (scene.pattern.asked, scene.pattern.take(), pipe.received, pipe.dropped) == (pipe, None, 0, 1)


def test_only_the_peer_that_was_asked_can_reply() -> None:
    scene = Scene(Req)
    asked, other = scene.join_many(2)
    scene.pattern.submit((b"q",))
    assert other.receive_lone((b"", b"x")) is None
    assert (scene.pattern.asked, scene.pattern.take(), other.dropped) == (asked, None, 1)


def test_a_second_reply_is_dropped() -> None:
    scene = Scene(Req)
    pipe = scene.join()
    scene.pattern.submit((b"q",))
    pipe.bring(message(b"", b"first"))
    assert pipe.receive_lone((b"", b"second")) is None
    assert (scene.pattern.take(), scene.pattern.take(), pipe.dropped) == ((b"first",), None, 1)


def test_a_reply_without_the_id_of_its_request_is_dropped() -> None:
    scene = Scene(Req, req_correlate=True)
    pipe = scene.join()
    scene.pattern.submit((b"q",))
    assert pipe.receive_lone((b"", b"x")) is None
    (request,) = pipe.outbox
    assert pipe.receive_lone((request[0], b"", b"x")) == (b"x",)  # type: ignore[index]
    assert pipe.dropped == 1


# --- REP ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("envelope", [(b"",), (b"id", b"")], ids=["direct", "by a router"])
def test_a_request_is_replied_to_behind_its_envelope(envelope: tuple[bytes, ...]) -> None:
    scene = Scene(Rep)
    pipe = scene.join()
    assert pipe.receive_lone((*envelope, b"q", b"", b"more")) == (b"q", b"", b"more")
    assert (scene.pattern.requester, pipe.received) == (pipe, 1)
    scene.pattern.submit((b"r",))
    assert pipe.outbox == [(*envelope, b"r")]


@pytest.mark.parametrize("came", [(b"q",), (b"",), (b"id", b"")])
def test_what_is_no_request_is_dropped(came: tuple[bytes, ...]) -> None:
    scene = Scene(Rep)
    pipe = scene.join()
    assert pipe.receive_lone(came) is None
    assert (scene.pattern.requester, scene.pattern.take(), pipe.dropped) == (None, None, 1)


def test_a_request_waits_while_another_is_worked_on() -> None:
    scene = Scene(Rep)
    first, second = scene.join_many(2)
    first.receive_lone((b"", b"a"))
    assert second.receive_lone((b"", b"b")) is None
    scene.pattern.submit((b"r",))
    assert (scene.pattern.take(), second.received) == ((b"b",), 1)
