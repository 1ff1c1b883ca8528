"""A turn ends by the clock too: a handler that computes between two calls does not starve the other tasks."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock

import triomq
from triomq._runtime import MESSAGES_PER_TURN, Turn, TurnEnd
from triomq._runtime._turn import LONGEST_TURN

from .turns import Stopwatch


def looks(turn: Turn) -> list[int]:
    """Use a turn up. Returns: after which messages it was asked whether it is over, the last of which ends it."""
    asked = []
    for message in range(1, MESSAGES_PER_TURN + 1):
        turn.left -= 1
        if turn.left <= 0:
            asked.append(message)
            if turn.is_over():
                break
    return asked


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, [4, 64]), (LONGEST_TURN / 20, [4, 64]), (LONGEST_TURN / 10, [4, 16, 64]), (LONGEST_TURN, [4])],
)
def test_the_clock_is_looked_at_again_where_all_messages_would_take_too_long(
    seconds: float, expected: list[int]
) -> None:
    watch = Stopwatch()
    watch.seconds = seconds
    assert looks(Turn(MESSAGES_PER_TURN, watch)) == expected


@pytest.mark.parametrize("seconds", [0.0, LONGEST_TURN / 2])
@pytest.mark.parametrize("size", [1, 2, 4, 5, 17, 63])
def test_other_sizes_have_an_end_too(size: int, seconds: float) -> None:
    watch = Stopwatch()
    watch.seconds = seconds
    assert looks(Turn(size, watch))[-1] == size


@pytest.mark.parametrize("before", [0, 1, 3, 4, 5, 40])
@pytest.mark.parametrize(("seconds", "expected"), [(0.0, False), (LONGEST_TURN, True)])
def test_after_a_message_that_took_long_the_clock_is_looked_at(before: int, seconds: float, expected: bool) -> None:
    """However short the messages before were."""
    watch = Stopwatch()
    turn = Turn(MESSAGES_PER_TURN, watch)
    for _ in range(before):
        turn.left -= 1
        assert turn.left > 0 or not turn.is_over()
    watch.seconds = seconds
    turn.look_soon()
    turn.left -= 1
    assert turn.left == 0
    assert turn.is_over() is expected
    assert turn.left + turn.more == MESSAGES_PER_TURN - before - 1


@pytest.mark.parametrize("size", [1, 64])
def test_a_look_does_not_make_a_turn_longer(size: int) -> None:
    turn = Turn(size, Stopwatch())
    for _ in range(size):
        assert turn.left + turn.more > 0
        turn.look_soon()
        turn.left -= 1
        over = turn.is_over()
    assert over


def test_a_turn_does_not_answer_for_what_other_tasks_did_before_it() -> None:
    """Else a publisher among many subscribers would end each of its turns early."""
    clock = MockClock()

    async def main() -> None:
        turn = Turn(MESSAGES_PER_TURN, TurnEnd(trio.lowlevel.current_trio_token()))  # no instrument: trio never polls
        clock.jump(2 * LONGEST_TURN)
        turn.left -= 4
        assert turn.is_over()
        await turn.end()
        turn.left -= 4
        assert not turn.is_over()
        clock.jump(LONGEST_TURN)
        turn.left = 0
        assert turn.is_over()

    trio.run(main, clock=clock)


def test_a_task_that_has_read_does_not_answer_for_the_turns_of_others_that_were_woken_with_it() -> None:
    """Else each of a hundred subscribers would get a fraction of a turn, and find its messages cold in the next."""
    watch = Stopwatch()
    turn = Turn(MESSAGES_PER_TURN, watch)
    watch.seconds = watch.read_at = 5 * LONGEST_TURN  # since trio looked for events
    turn.begin()
    assert looks(turn) == [4, 64]
    turn.begin()
    watch.seconds += LONGEST_TURN
    assert looks(turn) == [4]


def test_the_turn_of_a_task_that_was_handed_its_message_begins_when_trio_looked_for_events() -> None:
    watch = Stopwatch()
    turn = Turn(MESSAGES_PER_TURN, watch)
    watch.seconds = watch.polled_at = LONGEST_TURN
    turn.begin()
    assert looks(turn) == [4, 64]
    watch.seconds += LONGEST_TURN
    turn.begin()
    assert looks(turn) == [4]


@pytest.mark.parametrize("scheme", ["inproc"])
@pytest.mark.parametrize(("milliseconds", "at_most"), [(0.0, 64), (0.1, 16), (20.0, 4)])
def test_work_between_two_messages_counts(scheme: str, milliseconds: float, at_most: int) -> None:
    """Another task runs after so many messages at the most, however long each keeps the program busy."""
    clock = MockClock()

    async def main() -> None:
        async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
            pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
            push.connect(await pull.bind(f"{scheme}://it"))
            await push.wait_peers()
            handled = 0
            seen = [0]

            async def watch() -> None:
                while True:
                    await trio.lowlevel.checkpoint()
                    if handled != seen[-1]:
                        seen.append(handled)

            for number in range(500):
                push.send_nowait(b"%d" % number)
            nursery.start_soon(watch)
            await trio.lowlevel.checkpoint()
            for _ in range(500):
                await pull.receive()
                clock.jump(milliseconds / 1000)
                handled += 1
            steps = [after - before for before, after in pairwise(seen)]
            assert max(steps) <= 2 * at_most  # trio may let this task run last in one pass and first in the next
            nursery.cancel_scope.cancel()

    trio.run(main, clock=clock)
