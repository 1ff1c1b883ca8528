"""How much may be done before other tasks run."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from triomq._runtime import MESSAGES_PER_TURN, Turn


class Begun:
    """A stand-in for the end of turns: the turns of all tasks have just begun."""

    polled_at = 0.0
    read_at = 0.0
    goes_on = False

    @staticmethod
    def now() -> float:
        return 0.0


def turn_of(size: int) -> Turn:
    return Turn(size, Begun())


def used_up(size: int) -> Turn:
    turn = turn_of(size)
    turn.left = turn.more = 0
    return turn


async def test_a_turn_begins_whole_and_is_whole_again_after_its_end() -> None:
    turn = turn_of(3)
    assert turn.left + turn.more == 3
    turn.left -= 3
    await turn.end()
    assert turn.left + turn.more == 3


async def test_who_waits_renews_the_turn_without_a_schedule_point() -> None:
    turn = turn_of(3)
    turn.left = -5  # costly work may use up more than there is
    with trio.testing.assert_no_checkpoints():
        turn.renew()
    assert turn.left + turn.more == 3


async def test_at_its_end_other_tasks_run() -> None:
    ran = []

    async def other() -> None:
        ran.append("other")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        for _ in range(2):  # who runs first at one schedule point is by chance
            await used_up(3).end()
        assert ran == ["other"]


async def test_the_end_of_a_turn_is_no_cancellation_point() -> None:
    """A message was just taken or sent: it must not be lost with the call."""
    with trio.CancelScope() as scope:
        scope.cancel()
        await used_up(3).end()
        await trio.lowlevel.checkpoint()
    assert scope.cancelled_caught


async def test_the_turn_is_renewed_before_other_tasks_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """They share it: they would end it again at once."""
    turn, seen = turn_of(3), []

    async def others_run() -> None:
        seen.append(turn.left + turn.more)

    monkeypatch.setattr(trio.lowlevel, "cancel_shielded_checkpoint", others_run)
    turn.left = turn.more = 0
    await turn.end()
    assert seen == [3]


@pytest.mark.parametrize("size", [1, MESSAGES_PER_TURN])
def test_a_turn_has_the_size_that_it_is_given(size: int) -> None:
    turn = turn_of(size)
    assert turn.left + turn.more == size
