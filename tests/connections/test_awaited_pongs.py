"""Whether somebody waits for a PONG: then the connection is read without delay."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from triomq._pipes import NOBODY, QueuedPipe

from .heartbeats_rig import begun, until


async def test_a_pong_is_awaited_while_a_ping_has_none(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        rig = begun(nursery, heartbeat_interval=10)
        assert not rig.heartbeats.awaits_pong
        await until(12)
        rig.heartbeats.heard()
        assert rig.heartbeats.awaits_pong
        rig.heartbeats.pong_received(rig.said[0][1].context)
        assert not rig.heartbeats.awaits_pong
        assert rig.round_trips == [2]
        rig.hands_over = False
        rig.heartbeats.confirm(QueuedPipe(NOBODY, "tcp://peer", 1, 1))
        assert rig.heartbeats.awaits_pong
        nursery.cancel_scope.cancel()
