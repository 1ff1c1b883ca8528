"""The reader by itself, while a task in ``receive`` has borrowed the connection."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from triomq import Message, RemoteProtocolError

from .reader_rig import Rig, rigged


async def test_a_lent_connection_is_read_by_its_borrower_alone() -> None:
    async with rigged() as rig:
        loan = rig.reader.lend()
        assert loan is not None
        await wait_all_tasks_blocked()
        rig.stream.arrive(b"a")
        await wait_all_tasks_blocked()
        assert (rig.received(), rig.stream.reads) == ("", [])
        await loan.wait()
        loan.take_in()
        assert loan.borrowed
        assert rig.received() == "a"


async def test_its_own_task_steps_aside_and_reads_on_at_the_end_of_the_turn() -> None:
    async with rigged() as rig:
        loan = rig.reader.lend()
        assert loan is not None
        await wait_all_tasks_blocked()
        assert rig.stream.waiting == set()
        loan.give_back()
        assert rig.state == "READING"
        await wait_all_tasks_blocked()
        assert rig.stream.waiting == {"own"}


@pytest.mark.parametrize("is_near", [True, False])
async def test_an_answer_may_come_soon_from_a_near_peer_that_has_a_processor(is_near: bool) -> None:
    async with rigged() as rig:
        rig.stream.is_near = is_near
        loan = rig.reader.lend()
        assert loan is not None
        said = {loan.may_answer_soon() for _ in range(2)}
        assert said == {False}  # nobody knows yet what this thread has
        rig.reader._turn_end.processor = SimpleNamespace(is_own=lambda: True)  # type: ignore[assignment]
        assert loan.may_answer_soon() is is_near


class StepsOfItsOwn(trio.abc.Instrument):
    """Counts how often the reader's own task runs on."""

    def __init__(self) -> None:
        self.count = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """See `trio.abc.Instrument`."""
        self.count += task.name == "own"


async def test_lent_again_within_the_turn_its_own_task_goes_on_sleeping() -> None:
    async with rigged() as rig:
        loan = rig.reader.lend()
        await wait_all_tasks_blocked()
        trio.lowlevel.add_instrument(steps := StepsOfItsOwn())
        for _ in range(3):
            assert loan is not None
            loan.give_back()
            loan = rig.reader.lend()
        await wait_all_tasks_blocked()
        trio.lowlevel.remove_instrument(steps)
        assert (steps.count, rig.stream.waiting, rig.state) == (0, set(), "LENT")


async def test_its_own_task_that_was_woken_for_what_a_borrower_has_read_reads_nothing_twice() -> None:
    async with rigged() as rig:
        rig.stream.arrive(b"a")  # wakes its own task, which has not run yet
        loan = rig.reader.lend()
        assert loan is not None
        loan.take_in()
        loan.give_back()
        await wait_all_tasks_blocked()
        assert (rig.received(), rig.ended, rig.stream.waiting) == ("a", None, {"own"})


async def test_with_something_left_in_the_buffer_the_loan_is_over() -> None:
    async with rigged(limit=2) as rig:
        loan = rig.reader.lend()
        assert loan is not None
        rig.stream.arrive(b"abc")
        loan.take_in()
        assert not loan.borrowed
        assert rig.received() == "ab"
        loan.give_back()
        await wait_all_tasks_blocked()
        assert rig.received() == "c"


async def test_a_message_by_itself_goes_straight_to_the_borrower() -> None:
    async with rigged() as rig:
        rig.protocol.knows_lone = True
        loan = rig.reader.lend()
        assert loan is not None
        rig.stream.arrive(b"a", b"b", b"cd")
        assert [loan.take_in() for _ in range(3)] == [(b"a",), (b"b",), None]
        assert (rig.received(), rig.pipe.received, rig.pipe.bytes_received, rig.writer.came) == ("cd", 4, 4, 2)
        assert loan.borrowed


async def test_a_message_by_itself_stands_behind_those_that_wait() -> None:
    async with rigged() as rig:
        rig.protocol.knows_lone = True
        loan = rig.reader.lend()
        assert loan is not None
        rig.pipe.deliver([Message([b"a"])])
        rig.stream.arrive(b"b")
        assert loan.take_in() is None
        assert (rig.received(), rig.writer.came) == ("ab", 1)


async def borrowed_and_given_back(rig: Rig) -> None:
    """A borrower has read three messages, and received one; its turn has ended, and three more have arrived."""
    loan = rig.reader.lend()
    await wait_all_tasks_blocked()
    assert loan is not None
    rig.stream.arrive(b"abc")
    loan.take_in()
    loan.give_back()
    assert bytes(*rig.scene.pattern.take_many(1)) == b"a"
    await rig.end_turn()
    rig.stream.arrive(b"def")


async def test_nobody_reads_while_the_borrower_receives_what_it_has_read() -> None:
    async with rigged() as rig:
        await borrowed_and_given_back(rig)
        assert bytes(*rig.scene.pattern.take_many(1)) == b"b"
        await rig.end_turn()
        assert bytes(*rig.scene.pattern.take_many(1)) == b"c"
        loan = rig.reader.lend()
        assert loan is not None
        await rig.end_turn()
        loan.take_in()
        assert (rig.received(), len(rig.stream.reads), rig.stream.waiting) == ("def", 2, set())


async def test_nobody_reads_either_when_the_borrower_has_borrowed_again_meanwhile() -> None:
    async with rigged() as rig:
        await borrowed_and_given_back(rig)
        assert len(rig.scene.pattern.take_many(2)) == 2
        loan = rig.reader.lend()
        assert loan is not None
        loan.take_in()
        loan.give_back()
        await rig.end_turn()
        rig.stream.arrive(b"g")
        for received in (b"d", b"e"):
            assert bytes(*rig.scene.pattern.take_many(1)) == received
            await rig.end_turn()
        assert (rig.received(), len(rig.stream.reads)) == ("f", 2)


@pytest.mark.parametrize(
    "why", ["nothing was received", "all was", "trio sleeps", "it takes long", "the socket is closed"]
)
async def test_its_own_task_reads_on_if(why: str, mock_clock: MockClock) -> None:
    async with rigged() as rig:
        await borrowed_and_given_back(rig)
        taken = {"nothing was received": 0, "all was": 2}.get(why, 1)
        assert len(rig.scene.pattern.take_many(taken)) == taken
        if why == "it takes long":
            mock_clock.jump(0.05)
        if why == "trio sleeps":
            await wait_all_tasks_blocked()
        elif why == "the socket is closed":
            rig.reader.stop_delivering()
        await rig.end_turn(3)
        assert len(rig.stream.reads) == 2
        assert len(rig.received()) == (2 - taken if "closed" in why else 5 - taken)


TWENTY = bytes(range(65, 85))


@pytest.mark.parametrize("why", ["a PONG is to come", "something was written", None])
async def test_nobody_rests_if(why: str | None) -> None:
    async with rigged() as rig:
        loan = rig.reader.lend()
        assert loan is not None
        rig.stream.arrive(TWENTY)
        loan.take_in()
        loan.give_back()
        rig.heartbeats.awaits_pong = why == "a PONG is to come"
        if why == "something was written":
            rig.writer.took_at = trio.current_time()
        rig.stream.arrive(b"!")
        for _ in range(5):
            rig.scene.pattern.take_many(1)
            await rig.end_turn()
        assert len(rig.stream.reads) == (1 if why is None else 2)


@pytest.mark.parametrize(
    ("interval", "age", "longest"),
    [(0.1, 1e9, 0.024), (1e9, 0.1, 0.024), (1e9, 1e9, 0.049)],
    ids=["the peer pings", "it has just come", "nothing of that"],
)
async def test_a_rest_is_over_before_the_peer_misses_the_answer_to_a_ping(
    interval: float, age: float, longest: float, mock_clock: MockClock
) -> None:
    async with rigged() as rig:
        rig.heartbeats.sign_of_life_every = interval / 2
        rig.pipe.since = trio.current_time() - age
        loan = rig.reader.lend()
        assert loan is not None
        rig.stream.arrive(TWENTY)
        loan.take_in()
        loan.give_back()
        for seconds in (0, longest, 0.002):
            mock_clock.jump(seconds)
            assert len(rig.stream.reads) == 1
            rig.stream.arrive(b"!")
            for _ in range(5):
                rig.scene.pattern.take_many(1)
                await rig.end_turn()
        assert len(rig.stream.reads) > 1


async def test_its_own_task_that_did_not_come_to_step_aside_rests_too() -> None:
    async with rigged() as rig:
        loan = rig.reader.lend()  # its own task is woken
        assert loan is not None
        rig.stream.arrive(b"abc")
        loan.take_in()
        loan.give_back()
        for received in (b"a", b"b"):
            assert bytes(*rig.scene.pattern.take_many(1)) == received
            rig.stream.arrive(b"d")
            await rig.end_turn()
        assert len(rig.stream.reads) == 1
        await wait_all_tasks_blocked()
        assert rig.received() == "cdd"


@pytest.mark.parametrize("why", ["something is buffered", "the inbox is full", "the stream cannot be interrupted"])
async def test_a_connection_that_a_borrower_could_not_wait_for_is_not_lent(why: str) -> None:
    async with rigged(limit=2, can_interrupt="interrupted" not in why, runs=False) as rig:
        rig.protocol.has_buffered = "buffered" in why
        if "full" in why:
            rig.pipe.deliver([Message([b"a"]), Message([b"b"])])
        assert rig.reader.lend() is None
        assert rig.state == "READING"


async def test_a_borrower_is_poked() -> None:
    async with rigged() as rig, trio.open_nursery() as nursery:
        loan = rig.reader.lend()
        assert loan is not None
        nursery.start_soon(loan.wait, name="borrower")
        await wait_all_tasks_blocked()
        assert rig.stream.waiting == {"borrower"}
        loan.poke()
        await wait_all_tasks_blocked()
        assert rig.stream.waiting == set()
        assert loan.borrowed


async def test_with_no_borrower_waiting_a_poke_wakes_nobody() -> None:
    async with rigged() as rig:
        rig.reader.poke()
        await wait_all_tasks_blocked()
        assert rig.stream.reads == []


@pytest.mark.parametrize(
    ("things", "ended"),
    [
        ([b""], "in good order"),
        ([trio.BrokenResourceError()], trio.BrokenResourceError),
        ([trio.ClosedResourceError()], trio.ClosedResourceError),
        ([b"?"], RemoteProtocolError),
    ],
    ids=["end", "broken", "closed", "protocol"],
)
async def test_what_a_borrower_meets_with_is_raised_by_the_readers_own_task(things: list[Any], ended: Any) -> None:
    async with rigged() as rig:
        loan = rig.reader.lend()
        assert loan is not None
        rig.stream.arrive(*things)
        await loan.wait()
        loan.take_in()
        assert not loan.borrowed
        assert rig.ended is None
        loan.give_back()
        await wait_all_tasks_blocked()
        assert rig.ended == ended or isinstance(rig.ended, ended)


async def test_a_stream_that_is_closed_ends_the_wait_and_the_loan() -> None:
    async with rigged() as rig:
        loan = rig.reader.lend()
        assert loan is not None
        rig.stream.closed = True
        with pytest.raises(trio.ClosedResourceError):
            await loan.wait()
        loan.lost()
        assert not loan.borrowed
