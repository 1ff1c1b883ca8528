"""One message to many pipes: encoded once, dropped where there is no room, gathered in tails that pipes share."""

from __future__ import annotations

from typing import Any

import pytest

from triomq import Message, zmtp
from triomq._patterns import _distributor
from triomq._patterns._distributor import Distributor
from triomq._patterns._subscriptions import Audience
from triomq._pipes import NOBODY, Pipe, QueuedPipe

from .fakes import FakePipe, message, outboxes

HWM = 1000


def connected(number: int, *, hwm: float = HWM, shares: bool = True) -> list[QueuedPipe]:
    """Pipes as of connections."""
    pipes = [QueuedPipe(NOBODY, f"tcp://{index}", hwm, 0) for index in range(number)]
    for pipe in pipes:
        pipe.shares_encoding = shares
    return pipes


def texts(pipe: QueuedPipe) -> list[bytes]:
    """What waits in a pipe's outbox, in order, without its framing."""
    waiting = [*pipe.outbox.queue, *(item for tail in pipe.outbox.tails for item in tail.messages)]
    return [item[2:] if isinstance(item, bytes) else item[-1] for item in waiting]  # type: ignore[index]


def publish(audience: Audience[Pipe], count: int, first: int = 0) -> list[int]:
    distributor = Distributor()
    return [distributor.publish((b"%d" % number,), audience) for number in range(first, first + count)]


def numbered(count: int, first: int = 0) -> list[bytes]:
    return [b"%d" % number for number in range(first, first + count)]


# --- to each pipe by itself --------------------------------------------------------------------


@pytest.mark.parametrize("rooms", [[1], [0], [1, 1], [0, 1], [1, 0, 2], [0, 0]])
def test_every_pipe_with_room_gets_it_and_the_others_drop_and_count(rooms: list[int]) -> None:
    pipes = [FakePipe(room=room) for room in rooms]
    Distributor().send((b"m",), pipes)
    assert outboxes(pipes) == [[b"m"] if room else [] for room in rooms]
    assert [pipe.dropped for pipe in pipes] == [0 if room else 1 for room in rooms]


def test_it_is_encoded_once_for_all_that_share_the_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = []

    def encode(item: Any) -> bytes:
        encoded.append(item)
        return zmtp.encode_shared(item)

    monkeypatch.setattr(_distributor, "zmtp", type("Counted", (), {"encode_shared": staticmethod(encode)}))
    sharing, apart = [FakePipe() for _ in range(3)], [FakePipe() for _ in range(2)]
    for pipe in sharing:
        pipe.shares_encoding = True
    Distributor().send((b"t", b"m"), [*sharing, *apart])
    assert encoded == [(b"t", b"m")]
    assert {id(pipe.outbox[0]) for pipe in sharing} == {id(sharing[0].outbox[0])}
    assert [pipe.outbox for pipe in sharing] == [[zmtp.encode_shared((b"t", b"m"))]] * 3
    assert [pipe.outbox for pipe in apart] == [[(b"t", b"m")]] * 2


@pytest.mark.parametrize(("number", "at_once"), [(1, True), (2, False), (5, False)])
def test_only_a_lone_pipe_is_written_from_within_the_call(number: int, at_once: bool) -> None:
    pipes = [FakePipe() for _ in range(number)]
    Distributor().send((b"m",), pipes)
    assert [not pipe.later for pipe in pipes] == [at_once] * number


@pytest.mark.parametrize(("rooms", "room"), [([1, 1], True), ([1, 0], False), ([0, 0], False), ([], True)])
def test_have_room_asks_every_pipe_so_that_each_full_one_will_tell(rooms: list[int], room: bool) -> None:
    pipes = [FakePipe(room=each) for each in rooms]
    assert Distributor().have_room(pipes) is room
    assert [pipe.owner_waits for pipe in pipes] == [not each for each in rooms]


# --- gathered for several ----------------------------------------------------------------------


def test_several_connections_share_one_tail() -> None:
    pipes = connected(3)
    publish(Audience[Pipe](pipes), 10)
    (tail,) = {tail for pipe in pipes for tail in pipe.outbox.tails}
    assert tail.holders == 3
    assert [texts(pipe) for pipe in pipes] == [numbered(10)] * 3


def test_what_a_tail_costs_is_counted_once_for_two_pipes_when_it_is_given() -> None:
    assert publish(Audience[Pipe](connected(6)), 3) == [3, 0, 0]


def test_pipes_that_cannot_share_get_each_message_by_themselves() -> None:
    sharing, nearly_full, apart = connected(2), connected(1, hwm=63), FakePipe()
    audience = Audience[Pipe]([sharing[0], apart, nearly_full[0], sharing[1]])
    done = publish(audience, 5)
    assert done == [3, 2, 2, 2, 2]  # the two others each time, and once the tail
    assert [texts(pipe) for pipe in (*sharing, *nearly_full)] == [numbered(5)] * 3
    assert outboxes([apart]) == [numbered(5)]
    assert not nearly_full[0].outbox.tails


@pytest.mark.parametrize("number", [1, 513])
def test_one_pipe_or_very_many_share_no_tail(number: int) -> None:
    pipes = connected(number)
    assert publish(Audience[Pipe](pipes), 2) == [number] * 2
    assert not any(pipe.outbox.tails for pipe in pipes)
    assert {tuple(texts(pipe)) for pipe in pipes} == {(b"0", b"1")}


@pytest.mark.parametrize("narrow_first", [False, True])
def test_a_tail_takes_no_more_than_its_fullest_pipe_has_room_for(narrow_first: bool) -> None:
    (roomy,), (narrow,) = connected(1), connected(1, hwm=64)
    audience = Audience[Pipe]([narrow, roomy] if narrow_first else [roomy, narrow])
    publish(audience, 70)
    assert texts(roomy) == numbered(70)
    assert texts(narrow) == numbered(64)
    assert (narrow.dropped, roomy.dropped) == (6, 0)


def test_a_message_for_one_pipe_alone_keeps_its_place() -> None:
    pipes = connected(2)
    audience = Audience[Pipe](pipes)
    publish(audience, 3)
    pipes[0].send_nowait((b"mine",))
    publish(audience, 3, first=3)
    assert texts(pipes[0]) == [*numbered(3), b"mine", *numbered(3, 3)]
    assert texts(pipes[1]) == numbered(6)


def test_a_tail_that_was_written_is_not_appended_to() -> None:
    pipes = connected(2)
    audience = Audience[Pipe](pipes)
    publish(audience, 3)
    first = pipes[0].outbox.tails[0]
    pipes[0].outbox.take(64)
    publish(audience, 3, first=3)
    assert len(first.messages) == 3
    assert texts(pipes[0]) == numbered(3, 3)
    assert texts(pipes[1]) == numbered(6)


def test_while_tails_get_one_message_each_sixteen_go_to_each_pipe_directly_between_two_tails() -> None:
    pipes = connected(2)
    audience = Audience[Pipe](pipes)
    done = []
    for number in range(36):
        done += publish(audience, 1, first=number)
        for pipe in pipes:
            pipe.outbox.take(64)  # closes the tail, if there is one
    assert done == [1, 1, *[2] * 16, 1, *[2] * 16, 1]


def test_one_message_is_the_same_for_all_however_it_is_queued() -> None:
    pipes = connected(2)
    audience = Audience[Pipe](pipes)
    Distributor().publish(message(b"t", b"m"), audience)
    pieces = [b"".join(pipe.outbox.take(64)[1]) for pipe in pipes]  # type: ignore[arg-type]
    assert pieces == [zmtp.encode_shared(Message([b"t", b"m"]))] * 2
