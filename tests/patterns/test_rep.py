"""REP: a request, then its reply, back the way the request came."""

from __future__ import annotations

import pytest

from triomq import WrongStateError
from triomq._patterns import Rep

from .fakes import Scene, message


@pytest.mark.parametrize(
    "envelope", [(b"",), (b"id", b""), (b"far", b"near", b"")], ids=["direct", "by a router", "by two"]
)
def test_a_reply_goes_back_behind_the_envelope_of_its_request(envelope: tuple[bytes, ...]) -> None:
    scene = Scene(Rep)
    other, pipe = scene.join_many(2)
    pipe.bring(message(*envelope, b"q", b"", b"more"))
    assert scene.pattern.take() == (b"q", b"", b"more")
    assert scene.pattern.requester is pipe
    assert scene.pattern.submit((b"r", b"s"))
    assert pipe.outbox == [(*envelope, b"r", b"s")]
    assert other.outbox == []


@pytest.mark.parametrize("request_", [(b"q",), (b"a", b"b"), (b"",), (b"id", b"")])
def test_what_has_no_delimiter_or_no_body_is_dropped(request_: tuple[bytes, ...]) -> None:
    scene = Scene(Rep)
    pipe = scene.join()
    pipe.bring(message(*request_), message(b"", b"good"))
    assert scene.pattern.take() == (b"good",)
    assert (pipe.dropped, pipe.received, scene.pattern.dropped_messages) == (1, 1, 1)


def test_requests_are_taken_from_the_peers_in_turn_and_one_at_a_time() -> None:
    scene = Scene(Rep)
    for texts in (b"ab", b"xy"):
        scene.join().bring(*(message(b"", bytes([letter])) for letter in texts))
    taken = []
    while scene.pattern.peek() is not None:
        seen = scene.pattern.peek()
        many = scene.pattern.take_many(9)
        assert many == [seen]
        assert scene.pattern.take() is scene.pattern.peek() is None
        taken += many[0]
        scene.pattern.submit((b"r",))
    assert taken == [b"a", b"x", b"b", b"y"]


def test_without_a_request_there_is_nothing_to_reply_to() -> None:
    scene = Scene(Rep)
    scene.join()
    with pytest.raises(WrongStateError, match="no request to reply to"):
        scene.pattern.submit((b"r",))


def test_a_reply_lets_receivers_go_on() -> None:
    scene = Scene(Rep)
    scene.join().bring(message(b"", b"a"), message(b"", b"b"))
    scene.pattern.take()
    scene.woken()
    scene.pattern.submit((b"r",))
    assert scene.woken() == {"receivers"}
    assert scene.pattern.requester is None


def test_a_reply_to_a_requester_that_has_left_is_dropped_and_the_next_request_is_taken() -> None:
    scene = Scene(Rep)
    gone, stays = scene.join_many(2)
    gone.bring(message(b"", b"a"))
    stays.bring(message(b"", b"b"))
    scene.pattern.take()
    scene.remove(gone)
    assert scene.pattern.submit((b"r",))
    assert scene.pattern.dropped_messages == 1
    assert gone.outbox == []
    assert scene.pattern.take() == (b"b",)


def test_a_reply_to_a_requester_that_does_not_read_is_dropped_and_nobody_waits() -> None:
    scene = Scene(Rep)
    pipe = scene.join(room=0)
    pipe.bring(message(b"", b"a"))
    scene.pattern.take()
    assert scene.pattern.submit((b"r",))
    assert (pipe.dropped, scene.pattern.dropped_messages) == (1, 1)


def test_a_request_of_a_peer_that_has_left_is_still_taken_and_its_reply_dropped() -> None:
    scene = Scene(Rep)
    pipe = scene.join()
    pipe.bring(message(b"", b"a"))
    scene.remove(pipe)
    assert scene.pattern.take() == (b"a",)
    scene.pattern.submit((b"r",))
    assert scene.pattern.dropped_messages == 1


def test_a_requester_that_is_lost_and_comes_back_gets_its_reply() -> None:
    scene = Scene(Rep)
    pipe = scene.expect()
    scene.admit(pipe)
    pipe.bring(message(b"", b"a"))
    scene.pattern.take()
    scene.lose(pipe)
    scene.pattern.submit((b"r",))
    assert pipe.outbox == [(b"", b"r")]


def test_closed_it_has_forgotten_what_arrived() -> None:
    scene = Scene(Rep)
    scene.join().bring(message(b"", b"a"))
    scene.pattern.close()
    assert scene.pattern.take() is scene.pattern.peek() is None


def test_it_refuses_some_messages_and_so_captures_none() -> None:
    assert not Rep.never_refuses
