"""How long the answer to a heartbeat takes."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from .heartbeats_rig import begun, until


@pytest.fixture
async def nursery():
    """For what a rig starts."""
    async with trio.open_nursery() as nursery:
        yield nursery
        nursery.cancel_scope.cancel()


async def test_the_round_trip_is_that_of_the_ping_that_the_pong_answers(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, heartbeat_interval=10)
    await until(10.5)
    rig.heartbeats.pong_received(b"")  # a sign of life, unasked
    rig.heartbeats.pong_received(b"\0\2")
    assert rig.round_trips == []
    rig.heartbeats.pong_received(b"\0\1")
    rig.heartbeats.pong_received(b"\0\1")  # again: it answers nothing
    assert rig.round_trips == [0.5]
    rig.heartbeats.heard()
    await until(20.25)
    rig.heartbeats.pong_received(b"\0\1")  # late, the answer to the first
    rig.heartbeats.pong_received(b"\0\2")
    assert rig.round_trips == [0.5, 0.25]


async def test_the_round_trip_begins_when_the_ping_was_handed_over(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rig = begun(nursery, heartbeat_interval=10, heartbeat_timeout=100)
    rig.hands_over = False
    await until(13)
    rig.heartbeats.pong_received(b"\0\1")  # to what was not sent yet
    rig.hand_over()
    await until(15)
    rig.heartbeats.pong_received(b"\0\1")
    assert rig.round_trips == [2]
