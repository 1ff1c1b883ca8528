"""ROUTER: to and from peers by name."""

from __future__ import annotations

import math

import pytest

from triomq import PeerUnwantedError, UnroutableError
from triomq._patterns import Router

from .fakes import Scene, message, outboxes


def test_a_message_goes_to_the_peer_that_its_first_frame_names_without_that_frame() -> None:
    scene = Scene(Router)
    a, b = scene.join(routing_id=b"a"), scene.join(routing_id=b"b")
    assert scene.pattern.submit((b"b", b"", b"x"))
    assert scene.pattern.submit((b"a", b"y"))
    assert (a.outbox, b.outbox) == ([(b"y",)], [(b"", b"x")])


def test_what_a_peer_sends_comes_behind_its_name() -> None:
    scene = Scene(Router)
    scene.join(routing_id=b"a").bring(message(b"x", b"y"), message(b""))
    assert scene.pattern.take_many(9) == [(b"a", b"x", b"y"), (b"a", b"")]


def test_a_peer_without_a_name_gets_one_of_five_bytes_and_is_sent_to_by_it() -> None:
    scene = Scene(Router)
    pipe, other = scene.join_many(2)
    pipe.bring(message(b"x"))
    taken = scene.pattern.take()
    assert taken is not None
    name = taken[0]
    assert (len(name), name[:1]) == (5, b"\0")
    assert name != other.routing_id
    scene.pattern.submit((name, b"r"))
    assert outboxes([pipe, other]) == [[b"r"], []]


def test_a_peer_without_a_name_of_its_own_gets_a_new_one_at_each_connection() -> None:
    """Nobody knows whether the same peer is back: what was queued for the one before is not for this one."""
    scene = Scene(Router)
    pipe = scene.expect()
    scene.admit(pipe)
    name = pipe.routing_id
    scene.pattern.submit((name, b"queued"))
    scene.lose(pipe)
    assert pipe.dropped == 1
    assert scene.pattern.submit((name, b"for nobody"))
    scene.admit(pipe)
    assert pipe.routing_id != name
    assert outboxes([pipe]) == [[]]
    assert scene.pattern.dropped_messages == 2


def test_a_peer_with_a_name_of_its_own_keeps_its_queue_when_it_comes_back() -> None:
    scene = Scene(Router)
    pipe = scene.expect()
    scene.admit(pipe, b"named")
    scene.lose(pipe)
    assert scene.pattern.submit((b"named", b"meanwhile"))
    scene.admit(pipe, b"named")
    assert outboxes([pipe]) == [[b"meanwhile"]]


def test_a_peer_that_comes_back_by_another_name_is_known_by_the_new_one_alone() -> None:
    scene = Scene(Router)
    pipe = scene.expect()
    scene.admit(pipe, b"old")
    scene.lose(pipe)
    scene.admit(pipe, b"new")
    scene.pattern.submit((b"old", b"x"))
    scene.pattern.submit((b"new", b"y"))
    assert outboxes([pipe]) == [[b"y"]]
    assert scene.pattern.dropped_messages == 1


@pytest.mark.parametrize("mandatory", [False, True])
@pytest.mark.parametrize("to", [b"a", b"nobody"])
def test_a_name_alone_is_no_message(mandatory: bool, to: bytes) -> None:
    scene = Scene(Router, router_mandatory=mandatory)
    pipe = scene.join(routing_id=b"a")
    with pytest.raises(ValueError, match="nothing to send"):
        scene.pattern.submit((to,))
    assert pipe.outbox == []


# --- unknown and full peers --------------------------------------------------------------------


def test_a_message_for_nobody_is_dropped_and_counted() -> None:
    scene = Scene(Router)
    assert scene.pattern.submit((b"nobody", b"x"))
    assert scene.pattern.dropped_messages == 1


def test_a_message_for_a_full_peer_is_dropped_and_counted_at_that_peer() -> None:
    scene = Scene(Router)
    full, free = scene.join(routing_id=b"a", room=0), scene.join(routing_id=b"b")
    assert scene.pattern.submit((b"a", b"x"))
    assert (full.dropped, free.dropped, scene.pattern.dropped_messages) == (1, 0, 1)


PAIRS_FOR_PEERS = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"nobody", b"4"), (b"nobody", b"5"), (b"a", b"6")]
OTHERS_FOR_PEERS = [(b"b", b"", b"2"), (b"b",), (b"nobody",)]


@pytest.mark.parametrize(
    ("frames_of_each", "outcome"),
    [(PAIRS_FOR_PEERS, ([1, 0], 3, 0)), ([*PAIRS_FOR_PEERS[:-2], *OTHERS_FOR_PEERS, (b"a", b"5")], ([1, 0], 2, 2))],
    ids=["pairs", "any number of frames"],
)
def test_many_that_a_proxy_moves_go_where_they_would_have_gone_one_by_one(
    frames_of_each: list[tuple[bytes, ...]], outcome: tuple[list[int], int, int]
) -> None:
    messages = [message(*frames) for frames in frames_of_each]

    def sent(*, together: bool) -> tuple[list[list[object]], list[int], int, int]:
        scene = Scene(Router)
        pipes = [scene.join(routing_id=b"a"), scene.join(routing_id=b"b")]
        pipes[0].room_left = 2
        bare = 0
        if together:
            assert scene.pattern.room_to_forward() == math.inf
            bare = scene.pattern.forward(messages)
        else:
            for each in messages:
                try:
                    scene.pattern.submit(each)
                except ValueError:
                    bare += 1
        return (
            [[*pipe.outbox] for pipe in pipes],
            [pipe.dropped for pipe in pipes],
            scene.pattern.dropped_messages,
            bare,
        )

    assert sent(together=True) == sent(together=False)
    assert sent(together=True)[1:] == outcome


def test_mandatory_each_message_that_a_proxy_moves_is_looked_at() -> None:
    assert Scene(Router, router_mandatory=True).pattern.room_to_forward() == 0


def test_mandatory_a_message_for_nobody_raises_and_names_whom_it_was_for() -> None:
    scene = Scene(Router, router_mandatory=True)
    with pytest.raises(UnroutableError, match="b'nobody'") as raised:
        scene.pattern.submit((b"nobody", b"x"))
    assert raised.value.routing_id == b"nobody"
    assert scene.pattern.dropped_messages == 0


def test_mandatory_a_message_for_a_full_peer_is_refused_until_there_is_room() -> None:
    scene = Scene(Router, router_mandatory=True)
    full = scene.join(routing_id=b"a", room=1)
    assert scene.pattern.submit((b"a", b"x"))
    assert not scene.pattern.submit((b"a", b"y"))
    scene.woken()
    full.leave()
    assert scene.woken() == {"senders"}
    assert scene.pattern.submit((b"a", b"y"))
    assert scene.pattern.dropped_messages == 0


def test_a_peer_that_is_full_keeps_no_message_for_another_waiting() -> None:
    assert not Router.full_for_all
    scene = Scene(Router, router_mandatory=True)
    scene.join(routing_id=b"a", room=0)
    free = scene.join(routing_id=b"b")
    assert not scene.pattern.submit((b"a", b"x"))
    assert scene.pattern.submit((b"b", b"y"))
    assert outboxes([free]) == [[b"y"]]


def test_a_peer_that_comes_or_goes_lets_senders_look_again() -> None:
    """One that waits for room at a peer is to learn that the peer is gone."""
    scene = Scene(Router, router_mandatory=True)
    pipe = scene.join(routing_id=b"a", room=0)
    assert "senders" in scene.woken()
    assert not scene.pattern.submit((b"a", b"x"))
    scene.remove(pipe)
    assert "senders" in scene.woken()
    with pytest.raises(UnroutableError):
        scene.pattern.submit((b"a", b"x"))


# --- one name, two peers -----------------------------------------------------------------------


def test_a_name_in_use_is_not_given_to_another_peer() -> None:
    scene = Scene(Router)
    first = scene.join(routing_id=b"a")
    with pytest.raises(PeerUnwantedError, match="is in use"):
        scene.join(routing_id=b"a")
    scene.pattern.submit((b"a", b"x"))
    assert outboxes([first]) == [[b"x"]]
    assert first.source.hung_up == []


def test_a_name_is_free_again_when_its_peer_has_gone_for_good() -> None:
    scene = Scene(Router)
    scene.remove(scene.join(routing_id=b"a"))
    second = scene.join(routing_id=b"a")
    scene.pattern.submit((b"a", b"x"))
    assert outboxes([second]) == [[b"x"]]


def test_with_handover_the_new_peer_has_the_name_and_the_old_one_stays_by_another() -> None:
    """A peer that was hung up on would come back at once, and take the name over again."""
    scene = Scene(Router, router_handover=True)
    old = scene.join(routing_id=b"a")
    new = scene.join(routing_id=b"a")
    scene.pattern.submit((b"a", b"x"))
    assert outboxes([old, new]) == [[], [b"x"]]
    assert old.source.hung_up == []
    scene.pattern.submit((old.routing_id, b"y"))
    assert outboxes([old, new]) == [[b"y"], [b"x"]]
    assert old.routing_id[:1] == b"\0"


def test_a_peer_that_lost_its_name_does_not_take_it_along_when_it_goes() -> None:
    scene = Scene(Router, router_handover=True)
    old = scene.join(routing_id=b"a")
    new = scene.join(routing_id=b"a")
    scene.remove(old)
    scene.pattern.submit((b"a", b"x"))
    assert outboxes([new]) == [[b"x"]]


def test_what_a_peer_sent_under_its_name_keeps_it() -> None:
    scene = Scene(Router, router_handover=True)
    old = scene.join(routing_id=b"a")
    old.bring(message(b"early"))
    scene.join(routing_id=b"a").bring(message(b"late"))
    assert scene.pattern.take_many(9) == [(b"a", b"early"), (b"a", b"late")]


@pytest.mark.parametrize(("asked", "probes"), [(False, []), (True, [b""])])
def test_a_new_peer_is_probed_if_asked_for(asked: bool, probes: list[bytes]) -> None:
    scene = Scene(Router, probe_router=asked)
    assert outboxes([scene.join(routing_id=b"a")]) == [probes]
