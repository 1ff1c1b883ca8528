"""From all pipes that have messages, each in turn."""

from __future__ import annotations

import pytest

from triomq._patterns._fair_queue import FairQueue
from triomq.zmtp import PeerInfo

from .fakes import FakePipe, message

PEER = PeerInfo(socket_type="PUSH", routing_id=b"", metadata={}, version=(3, 1), mechanism="NULL")


def pipe_with(text: str, *, connected: bool = True) -> FakePipe:
    """A pipe with one message for each letter."""
    pipe = FakePipe(name=text)
    pipe.peer = PEER if connected else None
    pipe.inbox.put([message(letter.encode()) for letter in text])
    return pipe


def queue_of(*pipes: FakePipe) -> FairQueue:
    queue = FairQueue()
    for pipe in pipes:
        queue.activate(pipe)
    return queue


def assert_lone_is_true(queue: FairQueue) -> None:
    """`FairQueue.lone` is the inbox of the only pipe with messages."""
    assert queue.lone is (queue._round[0].inbox if len(queue._round) == 1 else None)


def take_all(queue: FairQueue) -> str:
    """Everything, one by one; `peek` and `next_pipe` are to tell the truth each time."""
    taken = ""
    assert_lone_is_true(queue)
    while (seen := queue.peek()) is not None:
        pipe = queue.next_pipe()
        assert pipe is not None
        assert pipe.inbox.queue[0] is seen
        assert queue.take() is seen
        assert_lone_is_true(queue)
        taken += bytes(seen).decode()
    assert queue.take() is None
    assert queue.next_pipe() is None
    return taken


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        ([], ""),
        (["abc"], "abc"),
        (["abc", "xyz"], "axbycz"),
        (["abc", "x"], "axbc"),
        (["a", "xyz", "1"], "ax1yz"),
    ],
)
def test_each_pipe_in_turn(texts: list[str], order: str) -> None:
    assert take_all(queue_of(*map(pipe_with, texts))) == order


def test_a_pipe_joins_the_round_at_its_end() -> None:
    queue = queue_of(pipe_with("abc"), pipe_with("xyz"))
    queue.take()
    queue.activate(pipe_with("12"))
    assert take_all(queue) == "xb1yc2z"


def test_a_pipe_that_is_activated_twice_gets_no_second_turn() -> None:
    pipe = pipe_with("abc")
    queue = queue_of(pipe, pipe_with("xyz"), pipe)
    assert take_all(queue) == "axbycz"


def test_a_pipe_leaves_the_round_when_it_is_empty_and_may_come_back() -> None:
    pipe = pipe_with("a")
    queue = queue_of(pipe)
    assert take_all(queue) == "a"
    assert not pipe.inbox.in_round
    pipe.inbox.put([message(b"b")])
    queue.activate(pipe)
    assert pipe.inbox.in_round
    assert take_all(queue) == "b"


def test_the_messages_of_a_peer_that_left_come_before_those_of_its_next_pipe() -> None:
    assert take_all(queue_of(pipe_with("abc", connected=False), pipe_with("xyz"))) == "abcxyz"


def test_a_peer_that_leaves_in_its_turn_is_emptied_first() -> None:
    gone = pipe_with("abc")
    queue = queue_of(gone, pipe_with("xyz"))
    queue.take()
    queue.take()
    gone.peer = None
    assert take_all(queue) == "bcyz"


@pytest.mark.parametrize(
    ("texts", "most", "taken"),
    [
        (["abc"], 5, "abc"),
        (["abc"], 3, "abc"),
        (["abc"], 2, "ab"),
        (["abc"], 0, ""),
        (["abc", "xyz"], 4, "axby"),
        (["abc", "xyz"], 9, "axbycz"),
        (["a", "xyz"], 9, "axyz"),
        ([], 5, ""),
    ],
)
def test_many_are_taken_as_one_by_one(texts: list[str], most: int, taken: str) -> None:
    queue = queue_of(*map(pipe_with, texts))
    many = queue.take_many(most)
    assert_lone_is_true(queue)
    assert b"".join(map(bytes, many)).decode() == taken
    rest = take_all(queue)
    assert sorted(taken + rest) == sorted("".join(texts))


@pytest.mark.parametrize(
    "texts", [["abc", "xyz", "123"], ["abcdef", "x", "1234"], ["a", "xyz"], ["ab", "xy", "1", "z"]]
)
@pytest.mark.parametrize("gone", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("before", range(4))
def test_rounds_are_taken_in_the_order_of_one_by_one(texts: list[str], gone: int | None, before: int) -> None:
    def begun() -> FairQueue:
        pipes = [*map(pipe_with, texts)]
        queue = queue_of(*pipes)
        for _ in range(before):
            queue.take()
        if gone is not None and gone < len(pipes):
            pipes[gone].peer = None
        return queue

    for most in range(14):
        many, one_by_one = begun(), begun()
        taken = [bytes(each) for each in many.take_many(most)]
        assert taken == [bytes(each) for _ in range(most) if (each := one_by_one.take()) is not None]
        assert take_all(many) == take_all(one_by_one)


def test_each_source_that_waits_is_told_when_rounds_are_taken() -> None:
    pipes = [pipe_with("abcd"), pipe_with("wxyz"), pipe_with("1234")]
    for pipe in pipes[:2]:
        pipe.inbox.source_waits, pipe.inbox.resume_below = True, 2
    queue_of(*pipes).take_many(6)
    assert [pipe.source.resumed for pipe in pipes] == [1, 1, 0]


def test_what_was_taken_at_once_is_a_list_of_its_own() -> None:
    pipe = pipe_with("ab")
    many = queue_of(pipe).take_many(9)
    pipe.inbox.put([message(b"c")])
    assert [bytes(each) for each in many] == [b"a", b"b"]


@pytest.mark.parametrize("at_once", [False, True])
def test_a_source_that_waits_is_told_when_there_is_room(at_once: bool) -> None:
    pipe = pipe_with("abcd")
    pipe.inbox.source_waits, pipe.inbox.resume_below = True, 2
    queue = queue_of(pipe)
    told = []
    if at_once:
        queue.take_many(9)
        told.append(pipe.source.resumed)
    else:
        for _ in range(4):
            queue.take()
            told.append(pipe.source.resumed)
    assert told == ([1] if at_once else [0, 1, 1, 1])


def test_cleared_it_forgets_every_pipe_and_takes_them_back_later() -> None:
    pipes = [pipe_with("ab"), pipe_with("xy")]
    queue = queue_of(*pipes)
    queue.clear()
    assert_lone_is_true(queue)
    assert [pipe.inbox.in_round for pipe in pipes] == [False, False]
    assert take_all(queue) == ""
    queue.activate(pipes[1])
    assert take_all(queue) == "xy"


class Backlog:
    """Puts the next of these portions, one letter a message, into the inbox of the pipe."""

    def __init__(self, pipe: FakePipe, *portions: str) -> None:
        self.asked: list[int] = []
        self._pipe = pipe
        self._portions = [*portions]
        pipe.inbox.backlog = self

    def refill(self, wanted: int) -> None:
        self.asked.append(wanted)
        assert not self._pipe.inbox.queue
        portion = self._portions.pop(0)
        if not self._portions:
            self._pipe.inbox.backlog = None
        self._pipe.inbox.put([message(letter.encode()) for letter in portion])


def test_who_takes_the_last_message_has_the_inbox_refilled() -> None:
    pipe, other = pipe_with("ab"), pipe_with("x")
    backlog = Backlog(pipe, "cd", "e")
    assert take_all(queue_of(pipe, other)) == "axbcde"
    assert backlog.asked == [1, 1]


def test_an_inbox_that_was_refilled_keeps_its_place_in_the_round() -> None:
    pipe, other = pipe_with("a"), pipe_with("xyz")
    Backlog(pipe, "bc")
    assert take_all(queue_of(pipe, other)) == "axbycz"


@pytest.mark.parametrize("most", [1, 2, 3, 4, 9])
def test_a_list_is_what_single_calls_would_take_with_a_backlog_too(most: int) -> None:
    def queue() -> FairQueue:
        pipe, other = pipe_with("ab"), pipe_with("x")
        Backlog(pipe, "cd", "efg")
        Backlog(other, "y")
        return queue_of(pipe, other)

    singles = take_all(queue())
    lists = queue()
    taken = ""
    while part := "".join(bytes(each).decode() for each in lists.take_many(most)):
        assert len(part) <= most
        assert_lone_is_true(lists)
        taken += part
    assert sorted(taken) == sorted(singles)
    for letters in ("abcdefg", "xy"):
        assert [letter for letter in taken if letter in letters] == [*letters]


def test_a_backlog_with_nothing_that_is_wanted_leaves_the_round() -> None:
    pipe = pipe_with("a")
    Backlog(pipe, "")
    queue = queue_of(pipe)
    assert len(queue.take_many(9)) == 1
    assert queue.next_pipe() is None
    assert not pipe.inbox.in_round


def test_a_long_list_ends_where_the_backlog_begins() -> None:
    pipe = pipe_with("a" * 256)
    backlog = Backlog(pipe, "b" * 9, "c")
    queue = queue_of(pipe)
    assert len(queue.take_many(999)) == 256
    assert backlog.asked == [999]
    assert len(queue.take_many(999)) == 10
