"""Sending to one of many: each in turn, passing over the full."""

from __future__ import annotations

from triomq._patterns import LoadBalancer

from .pipes import Owner, written


def texts(messages: list[tuple[bytes, ...]]) -> list[str]:
    return [b"".join(message).decode() for message in messages]


def test_each_has_its_turn() -> None:
    balancer = LoadBalancer()
    pipes = [Owner(writable=balancer.activate).pipe() for _ in range(3)]
    for pipe in pipes:
        balancer.activate(pipe)
        balancer.activate(pipe)  # twice is once
    assert all(balancer.send((b"%d" % number,)) for number in range(7))
    assert [texts(written(pipe, 10)) for pipe in pipes] == [["0", "3", "6"], ["1", "4"], ["2", "5"]]


def test_the_full_are_passed_over_until_they_have_room() -> None:
    balancer = LoadBalancer()
    small, large = (Owner(writable=balancer.activate).pipe(send_hwm=hwm) for hwm in (1, 4))
    for pipe in (small, large):
        balancer.activate(pipe)
    sent = [balancer.send((b"%d" % number,)) for number in range(6)]
    assert sent == [True] * 5 + [False]
    assert balancer.choose() is None
    assert texts(written(small, 1)) == ["0"]
    assert balancer.choose() is small
    assert balancer.send((b"6",))
    assert not balancer.send((b"7",))
    assert texts(written(large, 2)) == ["1", "2"]
    assert balancer.send((b"8",))
    assert (texts(written(small, 10)), texts(written(large, 10))) == (["6"], ["3", "4", "8"])


def test_who_leaves_is_sent_nothing_more() -> None:
    balancer = LoadBalancer()
    stays, leaves = (Owner().pipe() for _ in range(2))
    for pipe in (stays, leaves):
        balancer.activate(pipe)
    balancer.remove(leaves)
    balancer.remove(leaves)
    assert balancer.send((b"1",))
    assert balancer.send((b"2",))
    assert texts(written(stays, 10)) == ["1", "2"]
    balancer.remove(stays)
    assert not balancer.send((b"3",))


def test_many_at_once_for_one_who_is_alone() -> None:
    """With several each message has to find its own way, as with none."""
    balancer = LoadBalancer()
    one, other = (Owner(writable=balancer.activate).pipe(send_hwm=3) for _ in range(2))
    assert balancer.room_for_many() == 0
    balancer.activate(one)
    assert balancer.room_for_many() == 3
    balancer.send_many([(b"1",), (b"2",), (b"3",)])
    assert balancer.room_for_many() == 0
    assert texts(written(one, 10)) == ["1", "2", "3"]
    assert balancer.room_for_many() == 3
    balancer.activate(other)
    assert balancer.room_for_many() == 0
