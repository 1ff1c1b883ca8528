"""REQ: a request, then its reply; and how a reply that is not wanted any more is told from the one that is."""

from __future__ import annotations

from typing import Any

import pytest

from triomq import Message, WrongStateError
from triomq._patterns import Req

from .fakes import FakePipe, Scene, message


def reply_to(pipe: FakePipe, *body: bytes) -> Message:
    """What a REP would answer to the last request: its envelope, and a body."""
    (*_, request) = pipe.outbox
    assert isinstance(request, tuple)
    return Message([*request[: request.index(b"") + 1], *body])


def received(scene: Scene[Req]) -> list[tuple[bytes, ...]]:
    return [tuple(each) for each in scene.pattern.take_many(9)]


def sent(pipe: FakePipe) -> list[tuple[bytes, ...]]:
    return [tuple(item) for item in pipe.outbox]  # type: ignore[arg-type]


def test_a_request_goes_out_behind_a_delimiter() -> None:
    scene = Scene(Req)
    pipe = scene.join()
    assert scene.pattern.submit((b"a", b"b"))
    assert sent(pipe) == [(b"", b"a", b"b")]
    assert scene.pattern.asked is pipe


def test_without_a_peer_there_is_no_request() -> None:
    scene = Scene(Req)
    assert not scene.pattern.submit((b"a",))
    assert scene.pattern.asked is None


def test_the_reply_is_received_without_its_envelope_and_ends_the_exchange() -> None:
    scene = Scene(Req)
    pipe = scene.join()
    scene.pattern.submit((b"q",))
    scene.woken()
    pipe.bring(reply_to(pipe, b"x", b"", b"y"))
    assert scene.woken() == {"receivers"}
    assert received(scene) == [(b"x", b"", b"y")]
    assert scene.pattern.asked is None
    assert scene.pattern.submit((b"q",))


def test_requests_go_to_the_peers_in_turn() -> None:
    scene = Scene(Req)
    pipes = scene.join_many(2)
    for number in range(4):
        pipe = pipes[number % 2]
        scene.pattern.submit((b"%d" % number,))
        assert scene.pattern.asked is pipe
        pipe.bring(reply_to(pipe, b"r"))
        received(scene)
    assert [len(pipe.outbox) for pipe in pipes] == [2, 2]


def test_a_second_request_is_refused_before_the_reply() -> None:
    scene = Scene(Req)
    pipe = scene.join()
    scene.pattern.submit((b"a",))
    with pytest.raises(WrongStateError, match="the last request awaits its reply"):
        scene.pattern.submit((b"b",))
    assert sent(pipe) == [(b"", b"a")]


def test_requests_are_submitted_one_by_one() -> None:
    scene = Scene(Req)
    scene.join()
    assert scene.pattern.room_for_many() == 0
    assert not Req.never_refuses


@pytest.mark.parametrize(
    "answer",
    [
        (b"r",),  # no delimiter
        (b"x", b"", b"r"),  # something before it
        (b"",),  # nothing behind it
        (b"r", b""),
    ],
)
def test_what_is_no_reply_is_dropped_and_the_reply_is_still_awaited(answer: tuple[bytes, ...]) -> None:
    scene = Scene(Req)
    pipe = scene.join()
    scene.pattern.submit((b"q",))
    pipe.bring(message(*answer))
    assert received(scene) == []
    assert pipe.dropped == scene.pattern.dropped_messages == 1
    assert scene.pattern.asked is pipe


def test_without_a_request_nothing_is_a_reply() -> None:
    scene = Scene(Req)
    pipe = scene.join()
    pipe.bring(message(b"", b"r"))
    assert received(scene) == []
    assert pipe.dropped == 1


def test_only_the_peer_that_was_asked_may_reply() -> None:
    scene = Scene(Req)
    asked, other = scene.join_many(2)
    scene.pattern.submit((b"q",))
    other.bring(message(b"", b"not mine"))
    assert received(scene) == []
    asked.bring(message(b"", b"mine"))
    assert received(scene) == [(b"mine",)]


@pytest.mark.parametrize("together", [False, True])
def test_a_second_reply_to_one_request_is_dropped(together: bool) -> None:
    scene = Scene(Req)
    pipe = scene.join()
    scene.pattern.submit((b"q",))
    replies = [message(b"", b"first"), message(b"", b"second")]
    if together:
        pipe.bring(*replies)
    else:
        for each in replies:
            pipe.bring(each)
    assert received(scene) == [(b"first",)]
    assert pipe.dropped == 1


# --- given up ----------------------------------------------------------------------------------


def test_given_up_while_it_is_queued_a_request_is_withdrawn_and_its_room_is_free() -> None:
    scene = Scene(Req)
    pipe = scene.join(room=1)
    scene.pattern.submit((b"a",))
    assert not pipe.has_room()
    scene.woken()
    scene.pattern.give_up()
    assert sent(pipe) == []
    assert scene.pattern.asked is None
    assert scene.woken() == {"senders"}
    scene.pattern.submit((b"b",))
    assert sent(pipe) == [(b"", b"b")]


def test_giving_up_what_was_never_asked_changes_nothing() -> None:
    scene = Scene(Req)
    scene.join()
    scene.woken()
    scene.pattern.give_up()
    assert scene.woken() == set()


def test_at_a_rep_the_request_after_one_that_was_given_up_carries_an_id_and_the_late_reply_is_dropped() -> None:
    scene = Scene(Req)
    pipe = scene.join(socket_type="REP")
    scene.pattern.submit((b"old",))
    pipe.leave()
    scene.pattern.give_up()
    scene.pattern.submit((b"new",))
    ((number, *rest),) = sent(pipe)
    assert (len(number), rest) == (4, [b"", b"new"])
    pipe.bring(message(b"", b"late"))
    assert received(scene) == []
    pipe.bring(reply_to(pipe, b"in time"))
    assert received(scene) == [(b"in time",)]
    assert pipe.dropped == 1
    assert pipe.source.renewed == []


def test_at_any_other_peer_the_connection_is_made_anew_and_the_envelope_stays_as_it_is() -> None:
    scene = Scene(Req)
    pipe = scene.expect()
    scene.admit(pipe, socket_type="ROUTER")
    scene.pattern.submit((b"old",))
    pipe.leave()
    scene.pattern.give_up()
    assert len(pipe.source.renewed) == 1
    scene.pattern.submit((b"new",))
    assert sent(pipe) == [(b"", b"new")]
    pipe.bring(message(b"", b"late"))  # what the old connection still brings is not wanted
    assert received(scene) == []
    scene.lose(pipe)
    scene.admit(pipe, socket_type="ROUTER")
    pipe.bring(message(b"", b"in time"))
    assert received(scene) == [(b"in time",)]
    assert pipe.dropped == 1


def test_a_peer_that_came_by_itself_and_is_left_is_asked_nothing_more() -> None:
    scene = Scene(Req)
    pipe = scene.join(socket_type="ROUTER")
    scene.pattern.submit((b"old",))
    pipe.leave()
    scene.pattern.give_up()
    assert len(pipe.source.renewed) == 1
    assert not scene.pattern.submit((b"new",))
    again = scene.join(socket_type="ROUTER")
    assert scene.pattern.submit((b"new",))
    assert sent(again) == [(b"", b"new")]


def test_a_reply_that_arrived_and_was_not_taken_is_given_up_with_its_request() -> None:
    scene = Scene(Req)
    pipe = scene.join()
    scene.pattern.submit((b"old",))
    pipe.leave()
    pipe.bring(message(b"", b"unread"))
    scene.pattern.give_up()
    assert received(scene) == []
    scene.pattern.submit((b"new",))
    assert sent(pipe) == [(b"", b"new")]  # nothing late can come


def test_a_reply_that_arrived_before_its_connection_ended_is_given_up_with_its_request() -> None:
    scene = Scene(Req, req_relaxed=True)
    pipe = scene.expect()
    scene.admit(pipe, socket_type="REP")
    scene.pattern.submit((b"old",))
    pipe.leave()
    pipe.bring(message(b"", b"unread"))
    scene.lose(pipe)
    scene.pattern.submit((b"new",))
    assert received(scene) == []


def test_another_peer_needs_no_id() -> None:
    scene = Scene(Req)
    first, second = scene.join_many(2)
    scene.pattern.submit((b"old",))
    first.leave()
    scene.pattern.give_up()
    scene.pattern.submit((b"new",))
    assert sent(second) == [(b"", b"new")]


@pytest.mark.parametrize("left", [False, True], ids=["half written", "written"])
def test_a_peer_that_was_left_with_a_given_up_request_is_not_asked_it_again(left: bool) -> None:
    """When it was given up, it was half written, and could not be withdrawn; then it went back into the outbox."""
    scene = Scene(Req)
    pipe = scene.expect()
    scene.admit(pipe)
    scene.pattern.submit((b"old",))
    (old,) = pipe.leave()
    if not left:
        pipe.source.renewing = lambda: pipe.outbox.append(old)
    scene.pattern.give_up()
    assert pipe.outbox == []
    scene.lose(pipe)
    scene.admit(pipe)
    scene.pattern.submit((b"new",))
    assert sent(pipe) == [(b"", b"new")]


def test_a_peer_that_leaves_for_good_leaves_the_request_unanswered_until_it_is_given_up() -> None:
    scene = Scene(Req)
    gone, stays = scene.join_many(2)
    scene.pattern.submit((b"old",))
    scene.remove(gone)
    assert scene.pattern.asked is gone
    scene.pattern.give_up()
    scene.pattern.submit((b"new",))
    assert sent(stays) == [(b"", b"new")]


# --- options -----------------------------------------------------------------------------------


def test_correlated_every_request_carries_the_next_id_and_only_its_reply_counts() -> None:
    scene = Scene(Req, req_correlate=True)
    pipe = scene.join()
    numbers = []
    for _ in range(3):
        scene.pattern.submit((b"q",))
        ((number, *rest),) = sent(pipe)
        assert rest == [b"", b"q"]
        numbers.append(int.from_bytes(number, "big"))
        answer = reply_to(pipe, b"r")
        pipe.leave()
        pipe.bring(message(b"", b"r"), message(b"zzzz", b"", b"r"), answer)
        assert received(scene) == [(b"r",)]
    assert [(number - numbers[0]) % 2**32 for number in numbers] == [0, 1, 2]
    assert pipe.dropped == 6


def test_correlated_the_reply_to_a_given_up_request_is_none() -> None:
    scene = Scene(Req, req_correlate=True)
    pipe = scene.join()
    scene.pattern.submit((b"old",))
    late = reply_to(pipe, b"late")
    pipe.leave()
    scene.pattern.give_up()
    scene.pattern.submit((b"new",))
    pipe.bring(late)
    assert received(scene) == []
    pipe.bring(reply_to(pipe, b"in time"))
    assert received(scene) == [(b"in time",)]


def test_relaxed_a_new_request_gives_up_the_old_one() -> None:
    scene = Scene(Req, req_relaxed=True)
    pipe = scene.join(socket_type="REP")
    scene.pattern.submit((b"old",))
    pipe.leave()
    scene.pattern.submit((b"new",))
    pipe.bring(message(b"", b"late"))
    pipe.bring(reply_to(pipe, b"in time"))
    assert received(scene) == [(b"in time",)]


def test_relaxed_a_request_that_is_still_queued_is_replaced() -> None:
    scene = Scene(Req, req_relaxed=True)
    pipe = scene.join(room=1)
    scene.pattern.submit((b"old",))
    assert scene.pattern.submit((b"new",))
    assert sent(pipe) == [(b"", b"new")]


@pytest.mark.parametrize(("asked", "probes"), [(False, []), (True, [(b"",)])])
def test_a_new_peer_is_probed_if_asked_for(asked: bool, probes: list[Any]) -> None:
    assert sent(Scene(Req, probe_router=asked).join()) == probes
