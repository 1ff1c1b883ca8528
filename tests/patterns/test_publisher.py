"""PUB and XPUB: every message to every peer that wants it, and what the peers' subscriptions tell."""

from __future__ import annotations

from typing import Any

import pytest

from triomq import zmtp
from triomq._patterns import Publisher, XPublisher
from triomq._pipes import QueuedPipe
from triomq.zmtp import Cancel, Subscribe

from .fakes import FakePipe, Scene, message, outboxes

EACH = pytest.mark.parametrize("kind", [Publisher, XPublisher], ids=lambda kind: kind.__name__)


def subscribed(scene: Scene[Any], *topics: bytes, **arguments: Any) -> FakePipe:
    """A peer with these subscriptions."""
    pipe = scene.join(**arguments)
    pipe.bring(*map(Subscribe, topics))
    return pipe


def told(scene: Scene[XPublisher]) -> list[bytes]:
    return [frame for (frame,) in scene.pattern.take_many(99)]


@EACH
def test_a_message_goes_to_each_peer_that_is_subscribed_to_a_prefix_of_its_first_frame(kind: type[Publisher]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipes = [subscribed(scene, *topics) for topics in ([b""], [b"a"], [b"ab", b"x"], [b"b"], [])]
    for frames in ((b"abc", b"1"), (b"a", b"2"), (b"b", b"3"), (b"c", b"x", b"4")):
        assert scene.pattern.submit(frames)
    assert outboxes(pipes) == [[b"1", b"2", b"3", b"4"], [b"1", b"2"], [b"1"], [b"3"], []]


@EACH
def test_a_peer_gets_a_message_once_however_many_of_its_topics_match(kind: type[Publisher]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = subscribed(scene, b"", b"a", b"ab", b"a")
    scene.pattern.submit((b"ab",))
    assert len(pipe.outbox) == 1


@EACH
def test_for_a_full_peer_alone_the_message_is_dropped_and_counted(kind: type[Publisher]) -> None:
    scene: Scene[Any] = Scene(kind)
    full, free = subscribed(scene, b"", room=0), subscribed(scene, b"")
    assert scene.pattern.submit((b"m",))
    assert outboxes([full, free]) == [[], [b"m"]]
    assert (full.dropped, free.dropped, scene.pattern.dropped_messages) == (1, 0, 1)


@EACH
def test_after_a_cancellation_the_peer_gets_nothing_though_it_subscribed_twice(kind: type[Publisher]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = subscribed(scene, b"a", b"a")
    pipe.bring(Cancel(b"a"))
    scene.pattern.submit((b"a",))
    assert pipe.outbox == []


@EACH
def test_what_was_cancelled_can_be_subscribed_to_again(kind: type[Publisher]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = subscribed(scene, b"a")
    pipe.bring(Cancel(b"a"), Subscribe(b"a"))
    scene.pattern.submit((b"a",))
    assert outboxes([pipe]) == [[b"a"]]


@EACH
def test_a_cancellation_of_what_was_never_subscribed_changes_nothing(kind: type[Publisher]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = subscribed(scene, b"a")
    scene.woken()
    pipe.bring(Cancel(b"b"))
    assert scene.woken() <= {"receivers"}
    scene.pattern.submit((b"a",))
    assert outboxes([pipe]) == [[b"a"]]


@EACH
def test_peers_of_zmtp_3_0_subscribe_by_messages(kind: type[Publisher]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = scene.join()
    pipe.bring(message(b"\1a"), message(b"\1b"), message(b"\0a"))
    for text in (b"a", b"b"):
        scene.pattern.submit((text,))
    assert outboxes([pipe]) == [[b"b"]]


@EACH
def test_the_audience_is_who_would_get_the_message(kind: type[Publisher]) -> None:
    scene: Scene[Any] = Scene(kind)
    one, two = subscribed(scene, b"a"), subscribed(scene, b"ab")
    assert scene.pattern.audience(b"ab") == [one, two]
    assert scene.pattern.audience(b"a") == [one]
    assert scene.pattern.audience(b"") == []


@EACH
def test_a_subscription_wakes_who_watches_and_who_waits_for_room(kind: type[Publisher]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = scene.join()
    scene.woken()
    for event in (Subscribe(b"a"), Cancel(b"a")):
        pipe.bring(event)
        assert {"senders", "watchers"} <= scene.woken()


# --- peers that leave --------------------------------------------------------------------------


@EACH
def test_a_peer_that_left_is_subscribed_to_nothing_and_what_it_missed_is_dropped(kind: type[Publisher]) -> None:
    scene: Scene[Any] = Scene(kind)
    gone, stays = subscribed(scene, b"a", b"a", b"b"), subscribed(scene, b"a")
    scene.pattern.submit((b"a",))
    scene.woken()
    scene.lose(gone)
    assert "senders" in scene.woken()
    assert (gone.outbox, gone.dropped) == ([], 1)
    for text in (b"a", b"b"):
        scene.pattern.submit((text,))
    assert outboxes([gone, stays]) == [[], [b"a", b"a"]]


@EACH
def test_a_peer_that_comes_back_has_to_subscribe_again(kind: type[Publisher]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = scene.expect()
    scene.admit(pipe)
    pipe.bring(Subscribe(b"a"))
    scene.lose(pipe)
    scene.admit(pipe)
    scene.pattern.submit((b"a",))
    assert pipe.outbox == []
    pipe.bring(Subscribe(b"a"))
    scene.pattern.submit((b"a",))
    assert outboxes([pipe]) == [[b"a"]]


# --- options -----------------------------------------------------------------------------------


@EACH
def test_with_nodrop_a_message_waits_for_each_peer_that_wants_it_and_nobody_gets_it_meanwhile(
    kind: type[Publisher],
) -> None:
    scene: Scene[Any] = Scene(kind, xpub_nodrop=True)
    full, free = subscribed(scene, b"a", room=1), subscribed(scene, b"")
    assert scene.pattern.submit((b"a", b"1"))
    assert not scene.pattern.would_accept((b"a",))
    assert not scene.pattern.submit((b"a", b"2"))
    assert outboxes([full, free]) == [[b"1"], [b"1"]]
    assert scene.pattern.would_accept((b"b",))
    assert scene.pattern.submit((b"b",))
    scene.woken()
    full.leave()
    assert scene.woken() == {"senders"}
    assert scene.pattern.submit((b"a", b"2"))
    assert outboxes([full, free]) == [[b"2"], [b"1", b"b", b"2"]]
    assert scene.pattern.dropped_messages == 0


@EACH
@pytest.mark.parametrize("how", ["leaves", "cancels"])
def test_with_nodrop_a_message_does_not_wait_for_a_peer_that_wants_it_no_more(kind: type[Publisher], how: str) -> None:
    scene: Scene[Any] = Scene(kind, xpub_nodrop=True)
    full = subscribed(scene, b"a", room=0)
    assert not scene.pattern.submit((b"a",))
    scene.woken()
    if how == "leaves":
        scene.remove(full)
    else:
        full.bring(Cancel(b"a"))
    assert "senders" in scene.woken()
    assert scene.pattern.submit((b"a",))


@EACH
def test_without_nodrop_every_message_would_be_accepted(kind: type[Publisher]) -> None:
    scene: Scene[Any] = Scene(kind)
    subscribed(scene, b"a", room=0)
    assert scene.pattern.would_accept((b"a",))
    assert scene.pattern.can_submit()
    assert kind.never_refuses
    assert not kind.full_for_all


@EACH
def test_inverted_a_message_goes_to_the_peers_that_did_not_subscribe_to_it(kind: type[Publisher]) -> None:
    scene: Scene[Any] = Scene(kind, invert_matching=True)
    a, b, none = subscribed(scene, b"a"), subscribed(scene, b"b"), scene.join()
    yet_to_come = scene.expect()
    for text in (b"ax", b"bx", b"cx"):
        scene.pattern.submit((text,))
    assert outboxes([a, b, none]) == [[b"bx", b"cx"], [b"ax", b"cx"], [b"ax", b"bx", b"cx"]]
    assert yet_to_come.outbox == []


# --- what it costs -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "options", "cost"),
    [
        (15, {}, 0),
        (16, {}, 1),
        (40, {}, 2),
        (160, {}, 11),
        (40, {"xpub_nodrop": True}, 2),
        (15, {"xpub_nodrop": True}, 0),
    ],
)
def test_many_deliveries_use_up_more_of_the_turn(number: int, options: dict[str, Any], cost: int) -> None:
    scene = Scene(Publisher, **options)
    for _ in range(number):
        subscribed(scene, b"")
    scene.pattern.submit((b"m",))
    assert scene.turn.left == -cost


def test_deliveries_by_a_shared_tail_use_up_less() -> None:
    scene = Scene(Publisher)
    for _ in range(256):
        pipe = QueuedPipe(scene.pattern, "tcp://x", 1000, 1000)
        pipe.shares_encoding = True
        scene.admit(pipe)
        pipe.deliver([Subscribe(b"")])
    costs = []
    for _ in range(3):
        scene.turn.left = 0
        scene.pattern.submit((b"m",))
        costs.append(-scene.turn.left)
    assert costs == [10, 2, 2]  # 256 / 2 / 16 to give the tail, 256 / 128 for each message


# --- bounds ------------------------------------------------------------------------------------

LONG = b"x" * 65537


@EACH
def test_a_remote_peer_with_too_long_a_topic_is_hung_up_on(kind: type[Publisher]) -> None:
    scene: Scene[Any] = Scene(kind)
    pipe = scene.join()
    pipe.bring(message(b"\1" + LONG[1:]))
    assert pipe.source.hung_up == []
    pipe.bring(message(b"\1" + LONG))
    (error,) = pipe.source.hung_up
    assert "65537 bytes" in str(error)
    assert scene.pattern.audience(LONG) == [pipe]  # by its topic of 65536 bytes


@EACH
def test_a_remote_peer_with_too_many_topics_is_hung_up_on_and_forgotten_with_all_of_them(
    kind: type[Publisher],
) -> None:
    scene: Scene[Any] = Scene(kind, max_subscriptions=3)
    pipe = subscribed(scene, b"a", b"b", b"c", b"a")
    assert pipe.source.hung_up == []
    pipe.bring(Subscribe(b"d"))
    (error,) = pipe.source.hung_up
    assert "more than 3 topics" in str(error)
    scene.lose(pipe)
    assert [scene.pattern.audience(topic) for topic in (b"a", b"b", b"c", b"d")] == [[]] * 4


@EACH
def test_a_peer_of_this_program_may_subscribe_to_as_much_as_it_likes(
    kind: type[Publisher],
) -> None:
    scene: Scene[Any] = Scene(kind, max_subscriptions=3)
    pipe = scene.join()
    pipe.source.trusted = True
    pipe.bring(*(Subscribe(b"%d" % number) for number in range(9)), Subscribe(LONG))
    assert all(scene.pattern.audience(b"%d" % number) == [pipe] for number in range(9))
    assert scene.pattern.audience(LONG) == [pipe]


# --- what an XPUB's user receives --------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "notices"),
    [
        ({}, [b"\1a", b"\0a"]),
        ({"xpub_verbose": True}, [b"\1a", b"\1a", b"\1a", b"\0a"]),
        ({"xpub_verboser": True}, [b"\1a", b"\1a", b"\1a", b"\0a", b"\0a"]),
    ],
)
def test_an_xpub_receives_the_first_and_the_last_or_every_subscription(
    options: dict[str, bool], notices: list[bytes]
) -> None:
    scene = Scene(XPublisher, **options)
    one, two = scene.join_many(2)
    for pipe, event in (
        (one, Subscribe(b"a")),
        (one, Subscribe(b"a")),
        (two, Subscribe(b"a")),
        (one, Cancel(b"a")),
        (two, Cancel(b"a")),
        (two, Cancel(b"a")),
    ):
        scene.woken()
        pipe.bring(event)
        assert "receivers" in scene.woken()
    assert scene.pattern.peek() == (notices[0],)
    assert told(scene) == notices


@pytest.mark.parametrize(("options", "notices"), [({}, [b"\0b"]), ({"xpub_verboser": True}, [b"\0a", b"\0b"])])
def test_a_peer_that_leaves_cancels_what_it_was_subscribed_to(options: dict[str, bool], notices: list[bytes]) -> None:
    scene = Scene(XPublisher, **options)
    gone, stays = scene.join_many(2)
    gone.bring(Subscribe(b"a"), Subscribe(b"b"))
    stays.bring(Subscribe(b"a"))
    told(scene)
    scene.woken()
    scene.remove(gone)
    assert "receivers" in scene.woken()
    assert told(scene) == notices


def test_a_repeated_subscription_does_not_outlive_its_cancellation_when_notices_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("triomq._patterns._publisher._MOST_NOTICES", 3)
    scene = Scene(XPublisher, xpub_verboser=True)
    scene.join().bring(*[Subscribe(b"a")] * 3, Cancel(b"a"))
    assert told(scene)[-1:] == [b"\0a"]


def test_an_xpub_receives_what_else_peers_send_at_its_place_among_the_notices() -> None:
    scene = Scene(XPublisher)
    pipe = scene.join()
    pipe.bring(Subscribe(b"a"), message(b"\2x", b"y"), message(b"\0a"), message(b""))
    assert scene.pattern.take_many(9) == [(b"\1a",), (b"\2x", b"y"), (b"\0a",), (b"",)]
    assert pipe.received == 2


def test_a_pub_drops_and_counts_what_else_peers_send() -> None:
    scene = Scene(Publisher)
    pipe = scene.join()
    pipe.bring(message(b"x"), message(b""))
    assert (pipe.dropped, pipe.received) == (2, 0)


def test_a_closed_xpub_has_forgotten_what_arrived() -> None:
    scene = Scene(XPublisher)
    subscribed(scene, b"a").bring(message(b"x"))
    scene.pattern.close()
    assert scene.pattern.take() is scene.pattern.peek() is None


@EACH
def test_they_want_subscriptions_of_their_peers(kind: type[Publisher]) -> None:
    assert {zmtp.Subscribe, zmtp.Cancel} < set(kind.wanted)
