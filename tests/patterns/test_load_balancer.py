"""To the next pipe that has room."""

from __future__ import annotations

import math

import pytest

from triomq._patterns._load_balancer import LoadBalancer

from .fakes import FakePipe, outboxes


def balanced(*rooms: float) -> tuple[LoadBalancer, list[FakePipe]]:
    """A balancer of pipes with so much room each."""
    balancer = LoadBalancer()
    pipes = [FakePipe(name=f"p{number}", room=room) for number, room in enumerate(rooms)]
    for pipe in pipes:
        balancer.activate(pipe)
    return balancer, pipes


def send_all(balancer: LoadBalancer, text: bytes) -> list[bool]:
    """Send one message for each letter."""
    return [balancer.send((bytes([letter]),)) for letter in text]


def letters(*texts: str) -> list[list[bytes]]:
    return [[letter.encode() for letter in text] for text in texts]


@pytest.mark.parametrize(
    ("rooms", "sent", "outbox", "accepted"),
    [
        ([math.inf], b"abc", ["abc"], 3),
        ([math.inf, math.inf], b"abcde", ["ace", "bd"], 5),
        ([math.inf] * 3, b"abcdef", ["ad", "be", "cf"], 6),
        ([1, math.inf], b"abcd", ["a", "bcd"], 4),
        ([0, 2, 1], b"abcd", ["", "ac", "b"], 3),
        ([0, 0], b"ab", ["", ""], 0),
        ([], b"ab", [], 0),
    ],
)
def test_each_message_goes_to_the_next_pipe_with_room(
    rooms: list[float], sent: bytes, outbox: list[str], accepted: int
) -> None:
    balancer, pipes = balanced(*rooms)
    assert send_all(balancer, sent) == [True] * accepted + [False] * (len(sent) - accepted)
    assert outboxes(pipes) == letters(*outbox)


def test_a_pipe_that_was_full_is_passed_over_until_it_is_activated() -> None:
    balancer, pipes = balanced(0, math.inf)
    send_all(balancer, b"a")
    pipes[0].room_left = 5
    send_all(balancer, b"b")
    assert outboxes(pipes) == letters("", "ab")
    balancer.activate(pipes[0])
    send_all(balancer, b"cd")
    assert outboxes(pipes) == letters("d", "abc")


def test_a_pipe_that_refused_waits_to_tell_its_owner() -> None:
    balancer, (full, free) = balanced(0, math.inf)
    send_all(balancer, b"a")
    assert full.owner_waits
    assert not free.owner_waits


def test_a_pipe_that_is_activated_twice_gets_no_second_turn() -> None:
    balancer, pipes = balanced(math.inf, math.inf)
    balancer.activate(pipes[0])
    send_all(balancer, b"abcd")
    assert outboxes(pipes) == letters("ac", "bd")


def test_a_removed_pipe_gets_nothing_and_the_others_keep_their_turns() -> None:
    balancer, pipes = balanced(math.inf, math.inf, math.inf)
    send_all(balancer, b"a")
    balancer.remove(pipes[1])
    send_all(balancer, b"bc")
    assert outboxes(pipes) == letters("ac", "", "b")


@pytest.mark.parametrize("rooms", [[], [0], [math.inf]])
def test_removing_a_pipe_that_is_not_in_the_round_changes_nothing(rooms: list[float]) -> None:
    balancer, _pipes = balanced(*rooms)
    accepted = balancer.send((b"a",))
    balancer.remove(FakePipe())
    assert balancer.send((b"b",)) is accepted
    assert accepted == (math.inf in rooms)


@pytest.mark.parametrize(("rooms", "chosen"), [([1, 1], 0), ([0, 1], 1), ([0, 0], None), ([], None)])
def test_choose_tells_where_send_would_send(rooms: list[float], chosen: int | None) -> None:
    balancer, pipes = balanced(*rooms)
    pipe = balancer.choose()
    assert pipe is (None if chosen is None else pipes[chosen])
    assert balancer.choose() is pipe
    assert balancer.send((b"a",)) is (pipe is not None)
    assert [bool(other.outbox) for other in pipes] == [other is pipe for other in pipes]


@pytest.mark.parametrize(
    ("rooms", "room"),
    [
        ([7], 7),
        ([math.inf], math.inf),
        ([0], 0),
        ([], 0),
        ([7, 7], 14),
        ([7, 3, math.inf], 9),
        ([7, 0], 0),
        ([7] * 16, 112),
        ([7] * 17, 0),
    ],
)
def test_there_is_room_for_as_many_as_the_pipe_with_the_least_room_gets(rooms: list[float], room: float) -> None:
    balancer, _ = balanced(*rooms)
    assert balancer.room_for_many() == room


@pytest.mark.parametrize("pipes", [1, 2, 3, 16])
@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("many", [0, 1, 2, 7, 32])
def test_many_go_where_they_would_have_gone_one_by_one(pipes: int, before: int, many: int) -> None:
    text = bytes(range(65, 65 + before + many + 2))
    single, expected = balanced(*[math.inf] * pipes)
    send_all(single, text)
    balancer, found = balanced(*[math.inf] * pipes)
    send_all(balancer, text[:before])
    balancer.send_many([(bytes([letter]),) for letter in text[before:-2]])
    send_all(balancer, text[-2:])
    assert outboxes(found) == outboxes(expected)


def test_many_go_to_the_only_pipe_in_order() -> None:
    balancer, pipes = balanced(3)
    balancer.send_many([(b"a",), (b"b",), (b"c",)])
    assert outboxes(pipes) == letters("abc")
    assert balancer.room_for_many() == 0


def test_who_sends_by_itself_passes_the_turn_on() -> None:
    balancer, pipes = balanced(0, math.inf, math.inf)
    for text in (b"a", b"b", b"c"):
        pipe = balancer.choose()
        assert pipe is not None
        pipe.send_nowait((text,))
        balancer.pass_on()
    assert outboxes(pipes) == letters("", "ac", "b")
