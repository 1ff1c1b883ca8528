"""The reader by itself, with more read than was taken apart: who puts the next messages into the inbox, and when."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from trio.testing import MockClock, wait_all_tasks_blocked

from triomq import Message, RemoteProtocolError
from triomq._pipes import Inbox

from .reader_rig import Rig, rigged
from .test_reader_states import STATES, reach

MANY = 2000


async def borrowed_and_read(rig: Rig, data: bytes, *, begun: bool = True) -> None:
    """A borrower has read this much, and has given the connection back."""
    if begun:
        rig.pipe.deliver([Message([b"-"])])  # the inbox has a queue from now on
        assert rig.received() == "-"
    loan = rig.reader.lend()
    assert loan is not None
    rig.stream.arrive(data)
    loan.take_in()
    loan.give_back()
    assert rig.state == "READING"


async def read_by_its_own_task(rig: Rig, data: bytes) -> None:
    """Its own task has read this much, in a turn that another task has used up."""
    rig.stream.arrive(data)
    while not waiting(rig):
        await rig.end_turn()


def take(rig: Rig, count: int) -> str:
    """Take messages one by one, as `receive` does."""
    taken = [rig.scene.pattern.take() for _ in range(count)]
    return b"".join(b"".join(message) for message in taken if message is not None).decode()


def waiting(rig: Rig) -> int:
    return len(rig.pipe.inbox.queue)


async def test_who_takes_the_last_message_has_the_next_portion_put_into_the_inbox() -> None:
    async with rigged(limit=MANY) as rig:
        await borrowed_and_read(rig, b"a" * 511 + b"bc" + b"d" * 600)
        assert waiting(rig) == 512
        assert take(rig, 511) == "a" * 511
        assert waiting(rig) == 1
        assert take(rig, 1) == "b"
        assert waiting(rig) == 512
        assert take(rig, 601) == "c" + "d" * 600
        assert (waiting(rig), rig.pipe.inbox.backlog) == (0, None)


async def test_a_list_goes_on_into_the_next_portion_unless_it_is_long_already() -> None:
    async with rigged(limit=MANY) as rig:
        await borrowed_and_read(rig, b"a" * 1500)
        take(rig, 500)
        assert [len(rig.received()) for _ in range(3)] == [12 + 512, 476, 0]
        assert len(rig.stream.reads) == 1


async def test_where_many_connections_rest_each_has_small_portions_for_who_takes_one_by_one() -> None:
    async with rigged(limit=MANY) as rig:
        rig.reader._turn_end.resting = 32
        await borrowed_and_read(rig, b"a" * 1500)
        assert waiting(rig) == 256
        rig.reader._turn_end.resting = 1000
        take(rig, 256)
        assert waiting(rig) == 128
        assert len(rig.received()) == 128 + 512


async def test_no_more_is_put_there_than_there_is_room_for() -> None:
    async with rigged(limit=4) as rig:
        await borrowed_and_read(rig, b"abcdefghi")
        got = ""
        while waiting(rig):
            assert waiting(rig) <= 4
            got += take(rig, 1)
        assert got == "abcdefghi"


async def test_nobody_reads_while_a_task_receives_what_its_own_task_has_read(mock_clock: MockClock) -> None:
    async with rigged() as rig:
        await read_by_its_own_task(rig, b"a" * 70)
        for _ in range(10):
            rig.stream.arrive(b"b")
            assert take(rig, 6) == "a" * 6
            await rig.end_turn()
        assert (len(rig.stream.reads), rig.stream.waiting) == (1, set())
        await wait_all_tasks_blocked()
        assert rig.received() == "a" * 10 + "b" * 10


async def test_its_own_task_reads_on_after_what_is_received_in_a_turn(mock_clock: MockClock) -> None:
    async with rigged() as rig:
        await read_by_its_own_task(rig, b"a" * 64)
        for _ in range(3):
            rig.stream.arrive(b"b")
            take(rig, 1)
            await rig.end_turn()
        assert len(rig.stream.reads) > 1


async def test_nobody_reads_while_a_task_has_portions_put_into_the_inbox(mock_clock: MockClock) -> None:
    async with rigged(limit=MANY) as rig:
        await borrowed_and_read(rig, b"a" * 1200)
        rig.stream.arrive(b"b")
        for count in (600, 599):
            assert take(rig, count) == "a" * count
            await rig.end_turn()
        assert len(rig.stream.reads) == 1
        await wait_all_tasks_blocked()
        assert (len(rig.stream.reads), rig.received()) == (2, "ab")


async def test_what_nobody_goes_on_to_receive_is_taken_apart_by_its_own_task() -> None:
    async with rigged(limit=MANY) as rig:
        await borrowed_and_read(rig, b"a" * 1500)
        take(rig, 1)
        await wait_all_tasks_blocked()
        assert waiting(rig) == 1499


async def test_its_own_task_goes_on_if_the_rest_takes_long(mock_clock: MockClock) -> None:
    async with rigged(limit=MANY) as rig:
        await borrowed_and_read(rig, b"a" * 1500)
        take(rig, 1)
        await rig.end_turn()
        mock_clock.jump(0.05)
        for _ in range(9):
            take(rig, 1)
            await rig.end_turn()
        assert waiting(rig) == 1500 - 10


@pytest.mark.parametrize("state", STATES)
async def test_the_inbox_is_refilled_only_where_the_connection_is_read_into_it(state: str) -> None:
    async with rigged() as rig:
        await reach(rig, state)
        before = waiting(rig)
        rig.protocol._buffer, rig.protocol.has_buffered = b"xyz", True
        rig.reader.refill(1)
        assert waiting(rig) == before + (3 if state == "READING" else 0)
        rig.protocol._buffer, rig.protocol.has_buffered = b"", False


async def test_a_fault_in_the_backlog_is_raised_by_its_own_task_behind_what_came_before() -> None:
    async with rigged(limit=MANY) as rig:
        await borrowed_and_read(rig, b"a" * 512 + b"b" * 512 + b"?")
        assert take(rig, 512) == "a" * 512
        assert take(rig, 512) == "b" * 512
        assert rig.state == "ENDED"
        await wait_all_tasks_blocked()
        assert isinstance(rig.ended, RemoteProtocolError)
        assert rig.received() == ""


async def test_a_ping_in_the_backlog_is_answered_and_what_comes_behind_follows_it() -> None:
    async with rigged(limit=MANY) as rig:
        await borrowed_and_read(rig, b"a" * 512 + b"!" + b"b" * 600)
        rig.heartbeats.told.clear()
        take(rig, 512)
        assert rig.writer.told == ["send_control"]
        assert rig.heartbeats.told == ["ping_followed", "ping_received", "ping_followed"]
        assert rig.pipe.inbox.backlog is None  # commands are its own task's business
        await wait_all_tasks_blocked()
        assert rig.received() == "b" * 600


class Laborious:
    """Takes apart no more than three messages at once, as if each of them took long."""

    def __init__(self, rig: Rig) -> None:
        self._receive = rig.protocol.receive_data
        rig.protocol.receive_data = self  # type: ignore[method-assign, assignment]

    def __call__(self, data: bytes, limit: int) -> Sequence[object]:
        return self._receive(data, min(3, limit))


async def test_messages_that_each_take_long_are_left_to_its_own_task() -> None:
    async with rigged(limit=MANY) as rig:
        Laborious(rig)
        await borrowed_and_read(rig, b"abcdefg")
        assert (take(rig, 9), rig.pipe.inbox.backlog) == ("abc", None)
        await wait_all_tasks_blocked()
        assert rig.received() == "defg"


async def test_an_inbox_that_keeps_the_newest_message_is_given_all_by_its_own_task(mock_clock: MockClock) -> None:
    async with rigged(limit=MANY) as rig:
        rig.pipe.inbox = Inbox(MANY, conflate=True)
        await borrowed_and_read(rig, b"a" * 600 + b"b")
        assert rig.pipe.inbox.backlog is None
        await rig.end_turn(5)
        assert rig.received() == "b"


@pytest.mark.parametrize(("keep", "limit", "left"), [(True, MANY, 1500), (True, 700, 700), (False, MANY, 512)])
async def test_when_it_is_stopped_what_was_read_is_kept_or_not(keep: bool, limit: float, left: int) -> None:
    async with rigged(limit=limit) as rig:
        await borrowed_and_read(rig, b"a" * 1500)
        rig.reader.stop(keep=keep)
        assert (waiting(rig), rig.pipe.inbox.backlog, rig.state) == (left, None, "ENDED")
        assert take(rig, MANY) == "a" * left


async def test_when_the_socket_is_closed_nothing_more_is_put_into_the_inbox() -> None:
    async with rigged(limit=MANY) as rig:
        await borrowed_and_read(rig, b"a" * 1500)
        rig.reader.stop_delivering()
        assert take(rig, 512) == "a" * 512
        assert waiting(rig) == 0


async def test_a_look_takes_apart_what_was_read_and_then_reads() -> None:
    async with rigged(limit=MANY) as rig:
        await borrowed_and_read(rig, b"a" * 600)
        rig.stream._arrived += [b"b", b""]  # in the kernel; nobody was woken yet
        rig.reader.look_at_all()
        assert (rig.received(), rig.state) == ("a" * 600 + "b", "ENDED")
        await wait_all_tasks_blocked()
        assert rig.ended == "in good order"
