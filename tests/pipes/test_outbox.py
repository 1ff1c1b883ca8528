"""What was accepted for a peer and has not left yet."""

from __future__ import annotations

import math

import pytest

from triomq import zmtp
from triomq._pipes import Outbox, SharedTail
from triomq._pipes._shared_tail import MOST_TAILS
from triomq.zmtp import Item, Ping, Subscribe

from .roles import messages

PING = Ping(1.0)
TOPIC = Subscribe(b"t")


def outbox_with(texts: str, *, limit: float = 100, conflate: bool = False) -> Outbox:
    """An outbox with one message for each letter, and a PING for each dot."""
    outbox = Outbox(limit, conflate=conflate)
    for text in texts:
        if text == ".":
            outbox.add_control(PING)
        else:
            outbox.extend(messages(text))
    return outbox


def spell(items: list[Item] | tuple[Item, ...]) -> str:
    """Letters and dots, as `outbox_with` takes them; capitals are messages that were encoded already."""
    return "".join(
        item[-1].decode() if isinstance(item, tuple) else item[2:].decode().upper() if isinstance(item, bytes) else "."
        for item in items
    )


def encoded(texts: str) -> list[bytes]:
    return [zmtp.encode_shared((text.encode(),)) for text in texts]


def tail_with(texts: str, *outboxes: Outbox) -> SharedTail:
    """A tail that the outboxes share, with one message for each letter."""
    tail = SharedTail()
    for outbox in outboxes:
        outbox.share(tail)
    tail.messages += encoded(texts)
    return tail


def rest(outbox: Outbox) -> str:
    return spell(list(outbox.own()))


# --- counting ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "unsent", "waiting", "queued", "messages_queued", "room"),
    [
        ("", 0, 0, 0, 0, 10),
        ("abc", 0, 3, 3, 3, 7),
        ("a.b.", 0, 4, 4, 2, 8),
        ("..", 0, 2, 2, 0, 10),
        ("abc", 2, 3, 5, 5, 5),
    ],
)  # fmt: skip
def test_messages_count_against_the_limit_and_controls_do_not(
    texts: str, unsent: int, waiting: int, queued: int, messages_queued: int, room: int
) -> None:
    outbox = outbox_with(texts, limit=10)
    outbox.set_unsent(unsent)
    assert outbox.waiting() == waiting
    assert outbox.queued() == queued
    assert outbox.messages_queued() == messages_queued
    assert outbox.room() == room
    assert outbox.capacity() == 10


def test_what_waits_in_tails_counts_for_each_outbox() -> None:
    one, two = outbox_with("ab", limit=10), outbox_with("", limit=10)
    tail_with("xyz", one, two)
    assert [box.waiting() for box in (one, two)] == [5, 3]
    assert [box.room() for box in (one, two)] == [5, 7]


def test_what_is_half_written_counts_until_it_is_whole() -> None:
    outbox = outbox_with("abcd", limit=4)
    batch, _ = outbox.take(3)
    assert outbox.room() == 3
    outbox.set_unsent(len(batch))
    assert (outbox.room(), outbox.capacity(), outbox.queued()) == (0, 4, 4)
    outbox.set_unsent(0)
    assert (outbox.room(), outbox.capacity(), outbox.queued()) == (3, 4, 1)


def test_a_half_written_control_takes_no_room() -> None:
    outbox = outbox_with(".a", limit=4)
    batch, _ = outbox.take(9)
    outbox.set_unsent(len(batch))
    assert (outbox.room(), outbox.messages_queued()) == (3, 1)


def test_no_limit_is_no_limit() -> None:
    outbox = outbox_with("abc", limit=math.inf)
    outbox.set_unsent(2)
    assert outbox.room() == outbox.capacity() == math.inf
    outbox.set_unsent(0)
    assert outbox.room() == math.inf


# --- taking out --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "most", "taken", "left"),
    [("", 3, "", ""), ("ab", 3, "ab", ""), ("abc", 3, "abc", ""), ("a.cd", 3, "a.c", "d")],
)
def test_no_more_than_asked_for_is_taken_the_oldest_first(texts: str, most: int, taken: str, left: str) -> None:
    outbox = outbox_with(texts)
    batch, pieces = outbox.take(most)
    assert spell(list(batch)) == taken
    assert pieces is batch
    assert rest(outbox) == left


def test_small_tails_are_taken_together_in_one_piece_each() -> None:
    outbox, other = outbox_with(""), outbox_with("")
    for texts in ("abc", "d"):
        tail_with(texts, outbox, other)
    batch, pieces = outbox.take(2)
    assert list(batch) == encoded("abcd")
    assert list(pieces) == [b"".join(encoded("abc")), *encoded("d")]
    assert not outbox.waiting()
    again, same_pieces = other.take(2)
    assert list(again) == encoded("abcd")
    assert [id(piece) for piece in same_pieces] == [id(piece) for piece in pieces]


def test_its_own_messages_are_taken_before_its_tails() -> None:
    outbox = outbox_with("ab")
    tail_with("xy", outbox)
    batch, pieces = outbox.take(3)
    assert spell(list(batch)) == "abX"
    assert pieces is batch
    assert rest(outbox) == "Y"


@pytest.mark.parametrize(("items", "left", "controls"), [("ab", 2, 1), ("a.b", 2, 0), ("", 0, 1)])
def test_of_what_left_the_messages_are_counted(items: str, left: int, controls: int) -> None:
    outbox = outbox_with("a.b")
    taken = [item for item in outbox.take(9)[0] if spell([item]) in items]
    assert outbox.count_left(taken) == left
    assert outbox.controls == controls


# --- tails -------------------------------------------------------------------------------------


def test_a_tail_is_closed_by_whatever_happens_to_one_of_its_outboxes() -> None:
    for happens in (
        lambda box: box.own(),
        lambda box: box.extend(messages("a")),
        lambda box: box.add_control(PING),
        lambda box: box.take(1),
        lambda box: box.share(SharedTail()),
        lambda box: box.drop_messages(),
        lambda box: box.clear(),
        lambda box: box.withdraw(PING),
        lambda box: box.restore([]),
    ):
        one, two = outbox_with(""), outbox_with("")
        tail = tail_with("x", one, two)
        assert tail.open
        happens(one)
        assert not tail.open
        assert rest(two) == "X"


def test_with_a_tail_behind_its_queue_order_is_kept() -> None:
    outbox = outbox_with("a")
    tail_with("x", outbox)
    tail_with("y", outbox)
    outbox.extend(messages("b"))
    outbox.add_control(PING)
    tail_with("z", outbox)
    assert rest(outbox) == "aXYb.Z"


def test_an_outbox_that_nobody_writes_takes_its_tails_over_after_a_while() -> None:
    outbox = outbox_with("")
    letters = "abcdefghijklmnopqrstuvwxyz"
    most = 0
    for letter in letters:
        tail_with(letter, outbox)
        most = max(most, len(outbox.tails))
    assert most == MOST_TAILS
    assert rest(outbox) == letters.upper()


# --- putting back ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("queued", "taken", "whole", "left"),
    [
        ("abcd", 2, 0, "abcd"),
        ("abcd", 2, 1, "bcd"),
        ("abcd", 2, 2, "cd"),
        ("abcd", 4, 0, "abcd"),
        ("a.c.e", 3, 1, "ce"),
        (".....", 3, 1, ""),
        ("", 2, 0, ""),
    ],
)
def test_what_did_not_leave_whole_goes_back_to_the_head_without_controls(
    queued: str, taken: int, whole: int, left: str
) -> None:
    outbox = outbox_with(queued, limit=100)
    batch = list(outbox.take(taken)[0])
    outbox.set_unsent(len(batch))
    outbox.count_left(batch[:whole])
    assert outbox.restore(batch[whole:]) == 0
    assert rest(outbox) == left
    assert (outbox.controls, outbox.unsent, outbox.limit, outbox.room()) == (0, 0, 100, 100 - len(left))


@pytest.mark.parametrize(
    ("half_written", "queued", "left", "dropped"), [("a", "", "a", 0), ("a", "b", "b", 1), ("", "b", "b", 0)]
)
def test_of_a_conflating_one_the_newest_is_kept(half_written: str, queued: str, left: str, dropped: int) -> None:
    outbox = outbox_with(half_written, conflate=True)
    batch, _ = outbox.take(9)
    outbox.set_unsent(len(batch))
    outbox.extend(messages(queued))
    assert outbox.restore(batch) == dropped
    assert rest(outbox) == left


def test_what_was_taken_in_tails_goes_back_as_messages() -> None:
    outbox, other = outbox_with(""), outbox_with("")
    tail_with("abc", outbox, other)
    batch, _ = outbox.take(1)
    tail_with("d", outbox, other)
    outbox.restore(batch[1:])
    assert rest(outbox) == "BCD"
    assert rest(other) == "ABCD"


# --- forgetting --------------------------------------------------------------------------------


def test_messages_alone_are_dropped() -> None:
    outbox = outbox_with("a.b")
    outbox.add_control(TOPIC)
    tail_with("xy", outbox)
    assert outbox.drop_messages() == 4
    assert list(outbox.queue) == [PING, TOPIC]
    assert (outbox.controls, outbox.messages_queued()) == (2, 0)


def test_everything_is_forgotten_and_messages_counted_half_written_ones_too() -> None:
    outbox = outbox_with("ab.c", limit=10)
    batch, _ = outbox.take(2)
    outbox.set_unsent(len(batch))
    tail_with("x", outbox)
    assert outbox.clear() == 4
    assert (outbox.queued(), outbox.controls, outbox.room(), outbox.capacity()) == (0, 0, 10, 10)


def test_this_very_message_is_withdrawn_and_no_equal_one() -> None:
    outbox = outbox_with("")
    first, second = messages("aa")
    outbox.extend([first, second])
    assert outbox.withdraw(second)
    assert [id(item) for item in outbox.queue] == [id(first)]
    assert not outbox.withdraw(second)
    outbox.take(1)
    assert not outbox.withdraw(first)


# --- a tail by itself --------------------------------------------------------------------------


def test_a_tail_is_joined_once_for_all() -> None:
    tail = tail_with("abc", *(outbox_with("") for _ in range(2)))
    joined = tail.joined()
    assert joined == b"".join(encoded("abc"))
    assert tail.joined() is joined
    assert not tail.open


@pytest.mark.parametrize(("size", "in_one_piece"), [(128 * 1024, True), (128 * 1024 + 1, False)])
def test_a_large_tail_stays_in_pieces(size: int, in_one_piece: bool) -> None:
    outbox = outbox_with("")
    tail = tail_with("", outbox)
    tail.messages += [b"x" * size] * 2
    batch, pieces = outbox.take(5)
    assert list(batch) == [b"x" * size] * 2
    assert len(pieces) == (1 if in_one_piece else 2)


def test_no_more_tails_are_taken_than_are_small_together() -> None:
    outbox = outbox_with("")
    for letter in (b"a", b"b", b"c"):
        tail_with("", outbox).messages.append(letter * 100 * 1024)
    assert [piece[:1] for piece in outbox.take(1)[1]] == [b"a", b"b"]  # type: ignore[index]
    assert [piece[:1] for piece in outbox.take(1)[1]] == [b"c"]  # type: ignore[index]


def test_what_all_have_left_is_freed() -> None:
    outboxes = [outbox_with("") for _ in range(2)]
    tail = tail_with("abc", *outboxes)
    outboxes[0].take(9)
    assert (tail.holders, len(tail.messages)) == (1, 3)
    outboxes[1].own()
    assert (tail.holders, tail.messages) == (0, [])
    assert rest(outboxes[1]) == "ABC"
