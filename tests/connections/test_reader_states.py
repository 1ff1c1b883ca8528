"""The reader by itself: its five states, which call is allowed in which, and what each call does there."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing
from trio.testing import wait_all_tasks_blocked

from triomq import RemoteProtocolError
from triomq._connections import _reader_states
from triomq._connections._read_size import HEADER_SIZE, READ_SIZE

from ..pipes.roles import texts
from .reader_rig import Rig, rigged

# --- the table ---------------------------------------------------------------------------------

STATES = ["READING", "LENT", "FULL", "LEAVING", "ENDED"]
CALLS = ["lend", "take back", "fill", "empty", "leave", "end"]

# Written a second time, row by row, with what each call is for.
ALLOWED = {
    # Only a connection that is read by its own task, and has room, is lent.
    "lend": {"READING": "LENT"},
    # A borrower gives back whatever became of the connection meanwhile; it cannot be full, as nobody filled it.
    "take back": {"LENT": "READING", "READING": "READING", "LEAVING": "LEAVING", "ENDED": "ENDED"},
    # Only the reader's own task finds the inbox full.
    "fill": {"READING": "FULL"},
    # The inbox has room again; or the socket was closed, or the connection ended, while it had none.
    "empty": {"FULL": "READING", "LEAVING": "LEAVING", "ENDED": "ENDED"},
    # The socket is closed, whatever the connection does just then.
    "leave": {"READING": "LEAVING", "LENT": "LEAVING", "FULL": "LEAVING", "LEAVING": "LEAVING", "ENDED": "ENDED"},
    # A connection may end at any time, and is over for good.
    "end": dict.fromkeys(STATES, "ENDED"),
}  # fmt: skip


async def reach(rig: Rig, state: str) -> None:
    """Bring the reader into a state by what happens to connections."""
    if state == "LENT":
        assert rig.reader.lend() is rig.reader
    elif state == "FULL":
        rig.stream.arrive(b"a" * 100)
    elif state == "LEAVING":
        rig.reader.stop_delivering()
    elif state == "ENDED":
        rig.reader.stop()
    await wait_all_tasks_blocked()
    assert rig.state == state


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("call", CALLS)
async def test_a_call_is_allowed_in_these_states_and_a_bug_in_any_other(state: str, call: str) -> None:
    async with rigged() as rig:
        await reach(rig, state)
        after = ALLOWED[call].get(state)
        if after is None:
            with pytest.raises(KeyError):
                rig.reader._move(call)
            after = state
        else:
            rig.reader._move(call)
        assert rig.state == after
        assert rig.reader.borrowed is (after == "LENT")
        rig.reader._state = _reader_states.ENDED  # nothing goes on from here


def test_the_table_has_no_further_row() -> None:
    assert {(repr(state), call): repr(after) for (state, call), after in _reader_states.MOVES.items()} == {
        (state, call): after for call, row in ALLOWED.items() for state, after in row.items()
    }


@pytest.mark.parametrize("state", STATES)
async def test_only_a_connection_that_its_own_task_reads_is_lent(state: str) -> None:
    async with rigged() as rig:
        await reach(rig, state)
        if state != "READING":
            assert rig.reader.lend() is None
            assert rig.state == state
        else:
            assert rig.reader.lend() is rig.reader


async def test_to_give_back_a_connection_that_is_full_is_a_bug() -> None:
    async with rigged() as rig:
        await reach(rig, "FULL")
        with pytest.raises(KeyError):
            rig.reader.give_back()


# --- READING -----------------------------------------------------------------------------------


async def test_its_own_task_delivers_what_arrives() -> None:
    async with rigged() as rig:
        rig.stream.arrive(b"ab")
        rig.stream.arrive(b"c")
        await wait_all_tasks_blocked()
        assert rig.received() == "abc"
        assert rig.stream.waiting == {"own"}


async def test_the_end_of_the_stream_ends_it_in_good_order() -> None:
    async with rigged() as rig:
        rig.stream.arrive(b"a", b"")
        await wait_all_tasks_blocked()
        assert (rig.received(), rig.ended, rig.state) == ("a", "in good order", "ENDED")


@pytest.mark.parametrize("error", [trio.BrokenResourceError(), trio.ClosedResourceError()], ids=repr)
async def test_a_dead_connection_is_raised(error: Exception) -> None:
    async with rigged() as rig:
        rig.stream.arrive(b"a", error)
        await wait_all_tasks_blocked()
        assert (rig.received(), rig.ended) == ("a", error)


async def test_a_peer_that_breaks_the_protocol_is_raised_after_what_it_sent_before() -> None:
    async with rigged() as rig:
        rig.stream.arrive(b"ab?")
        await wait_all_tasks_blocked()
        assert rig.received() == "ab"
        assert isinstance(rig.ended, RemoteProtocolError)


async def test_a_false_alarm_delivers_nothing() -> None:
    async with rigged() as rig:
        rig.stream.interrupt()
        await wait_all_tasks_blocked()
        assert (rig.received(), rig.ended, rig.stream.waiting) == ("", None, {"own"})


@pytest.mark.parametrize("data", [b"a", b"ab"])
async def test_the_writer_is_told_how_many_messages_there_may_be_answers_to(data: bytes) -> None:
    async with rigged() as rig:
        rig.stream.arrive(data)
        await wait_all_tasks_blocked()
        assert rig.writer.came == len(data)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a", ["heard"]),
        (b"!", ["heard", "ping_received"]),
        (b"a!", ["heard", "ping_received"]),
        (b"!a", ["heard", "ping_received", "ping_followed"]),
        (b"!:", ["heard", "ping_received", "pong_received", "ping_followed"]),
        (b"!!", ["heard", "ping_received", "ping_received"]),
        (b"*", ["heard", "ping_followed"]),
    ],
)
async def test_heartbeats_are_told_what_they_have_to_know(data: bytes, told: list[str]) -> None:
    async with rigged() as rig:
        rig.stream.arrive(data)
        await wait_all_tasks_blocked()
        assert rig.heartbeats.told == told
        assert rig.writer.told == ["send_control"] * data.count(b"!")


async def test_a_part_of_a_frame_behind_a_ping_follows_it() -> None:
    async with rigged() as rig:
        rig.protocol.hints = [7]
        rig.stream.arrive(b"!")
        await wait_all_tasks_blocked()
        assert rig.heartbeats.told == ["heard", "ping_received", "ping_followed"]


async def test_what_is_not_wanted_is_left_out() -> None:
    async with rigged() as rig:
        rig.stream.arrive(b"a*b!c:")
        await wait_all_tasks_blocked()
        assert rig.received() == "abc"
        assert rig.pipe.received == 3


async def test_reads_grow_while_they_come_back_full_and_are_small_again_after_commands() -> None:
    async with rigged() as rig:
        rig.protocol.swallows = True
        rig.stream.arrive(bytes(READ_SIZE), bytes(2 * READ_SIZE))
        await wait_all_tasks_blocked()
        rig.protocol.swallows = False
        rig.stream.arrive(b"!", b"a")
        await wait_all_tasks_blocked()
        assert rig.stream.reads == [READ_SIZE, 2 * READ_SIZE, 4 * READ_SIZE, READ_SIZE]


async def test_a_large_body_is_read_alone_and_so_is_the_next_header_with_the_body_behind_it() -> None:
    async with rigged() as rig:
        assert rig.reader.lend() is not None
        rig.protocol.between_messages = False
        rig.protocol.hints = [600_000, 0, 300_000, 300_000]
        rig.stream.arrive(b"a" * 10, b"b" * HEADER_SIZE, b"c" * 5)
        rig.reader.take_in()
        assert rig.received() == "a" * 10
        rig.reader.take_in()
        assert rig.received() == "b" * HEADER_SIZE + "c" * 5
        assert rig.stream.reads == [600_000, HEADER_SIZE, 300_000]
        assert rig.writer.came == 5  # the body's, which an answer is for


# --- FULL --------------------------------------------------------------------------------------


async def test_nothing_is_read_while_the_inbox_is_full_and_again_when_half_of_it_was_taken() -> None:
    async with rigged(limit=4) as rig:
        rig.stream.arrive(b"abcd")
        await wait_all_tasks_blocked()
        assert rig.state == "FULL"
        rig.stream.arrive(b"efgh")
        reads = len(rig.stream.reads)
        rig.scene.pattern.take()
        await wait_all_tasks_blocked()
        assert (rig.state, len(rig.stream.reads)) == ("FULL", reads)
        rig.scene.pattern.take()
        await wait_all_tasks_blocked()
        assert texts(rig.pipe.inbox) == "cdef"
        assert rig.state == "FULL"
        assert rig.received() == "cdef"
        await wait_all_tasks_blocked()
        assert (rig.received(), rig.state) == ("gh", "READING")


async def test_no_more_is_taken_in_than_the_inbox_has_room_for_and_the_rest_comes_later() -> None:
    async with rigged(limit=2) as rig:
        rig.stream.arrive(b"abcde")
        got = ""
        for part in ("ab", "cd", "e"):
            await wait_all_tasks_blocked()
            assert texts(rig.pipe.inbox) == part
            got += rig.received()
        assert got == "abcde"
        await wait_all_tasks_blocked()
        assert rig.state == "READING"


async def test_heartbeats_pause_while_nothing_is_read_and_what_was_read_behind_a_ping_has_followed_it() -> None:
    async with rigged(limit=2) as rig:
        rig.stream.arrive(b"a!bc")
        await wait_all_tasks_blocked()
        assert texts(rig.pipe.inbox) == "ab"
        assert rig.heartbeats.told == ["heard", "ping_received", "ping_followed", "pause"]
        rig.received()
        await wait_all_tasks_blocked()
        assert texts(rig.pipe.inbox) == "c"
        assert rig.heartbeats.told[4:] == ["proceed", "ping_followed"]


async def test_cancelled_while_the_inbox_is_full_it_waits_for_no_room() -> None:
    async with rigged(limit=1) as rig:
        rig.stream.arrive(b"a")
        await wait_all_tasks_blocked()
        assert rig.pipe.inbox.source_waits
    assert not rig.pipe.inbox.source_waits


async def test_a_full_inbox_shows_signs_of_life(autojump_clock: trio.testing.MockClock) -> None:
    async with rigged(limit=1) as rig:
        rig.heartbeats.sign_of_life_every = 0.5
        rig.stream.arrive(b"a")
        await trio.sleep(2.1)
        assert rig.heartbeats.told == ["heard", "pause", *["show_life"] * 4]
        rig.received()
        await trio.sleep(2)
        assert rig.heartbeats.told[6:] == ["proceed"]


# --- LEAVING -----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["READING", "LENT", "FULL"])
async def test_when_the_socket_is_closed_what_arrives_is_thrown_away_until_the_peer_ends(state: str) -> None:
    async with rigged() as rig:
        await reach(rig, state)
        before = texts(rig.pipe.inbox)
        rig.reader.stop_delivering()
        assert not rig.reader.borrowed
        rig.stream.arrive(b"xyz")
        await wait_all_tasks_blocked()
        assert texts(rig.pipe.inbox) == before
        assert rig.ended is None
        rig.stream.arrive(b"")
        await wait_all_tasks_blocked()
        assert rig.ended == "in good order"


async def test_a_borrower_gives_back_a_connection_that_was_left_meanwhile() -> None:
    async with rigged() as rig:
        await reach(rig, "LENT")
        rig.reader.stop_delivering()
        rig.reader.give_back()
        await wait_all_tasks_blocked()
        assert (rig.state, rig.stream.waiting) == ("LEAVING", {"own"})


# --- ENDED -------------------------------------------------------------------------------------


async def test_a_borrower_that_waits_is_poked_when_the_connection_is_ended() -> None:
    async with rigged() as rig, trio.open_nursery() as nursery:
        loan = rig.reader.lend()
        assert loan is not None
        nursery.start_soon(loan.wait, name="borrower")
        await wait_all_tasks_blocked()
        rig.reader.stop()
        await wait_all_tasks_blocked()
        assert rig.stream.waiting == set()
        assert not loan.borrowed


async def test_hanging_up_is_the_sessions_business() -> None:
    async with rigged() as rig:
        error = RemoteProtocolError("too many topics")
        assert rig.reader.hang_up(error)
        assert rig.hung_up == [error]


# --- a look ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "reads"), [("READING", 1), ("LENT", 1), ("FULL", 0), ("LEAVING", 1), ("ENDED", 0)])
async def test_a_look_reads_only_where_nobody_is_about_to(state: str, reads: int) -> None:
    async with rigged() as rig:
        await reach(rig, state)
        before = len(rig.stream.reads)
        assert rig.reader.look() is (reads == 0)
        assert len(rig.stream.reads) == before + reads


@pytest.mark.parametrize("state", ["READING", "LENT"])
async def test_what_a_look_finds_is_delivered(state: str) -> None:
    async with rigged() as rig:
        await reach(rig, state)
        rig.stream._arrived.append(b"a")  # in the kernel; nobody was woken yet
        assert rig.reader.look()
        assert (rig.received(), rig.state) == ("a", state)


@pytest.mark.parametrize(
    ("thing", "ended"), [(b"", "in good order"), (trio.BrokenResourceError(), trio.BrokenResourceError)], ids=repr
)
async def test_an_end_that_a_look_finds_ends_the_connection(thing: Any, ended: Any) -> None:
    async with rigged() as rig:
        rig.stream._arrived.append(thing)
        assert rig.reader.look()
        await wait_all_tasks_blocked()
        assert rig.ended == ended or isinstance(rig.ended, ended)


async def test_what_is_read_at_once_is_taken_in_by_portions_each_of_which_is_received_before_the_next() -> None:
    """Else a task that receives all that is there would get long lists and short ones in turn."""
    async with rigged(limit=2000) as rig:
        rig.stream.arrive(b"a" * 60_000)
        portions = []
        while sum(portions) < 60_000:
            await trio.lowlevel.checkpoint()
            portions.append(len(rig.received()))
        assert max(portions) == 512


async def test_what_nobody_receives_is_taken_in_too() -> None:
    async with rigged(limit=2000) as rig:
        rig.stream.arrive(b"a" * 1500)
        await wait_all_tasks_blocked()
        assert len(rig.pipe.inbox.queue) == 1500
