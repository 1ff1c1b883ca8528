"""Heartbeats by themselves: a connection without bytes."""

from __future__ import annotations

from typing import Any

import trio
import trio.testing

from triomq import Options, SilentPeerError
from triomq._connections._heartbeats import Heartbeats
from triomq.zmtp import Ping, Pong

NEW, OLD = (3, 1), (3, 0)


class Rig:
    """A connection without bytes. Time begins at 0.

    Attributes:
      said: what the heartbeats sent, with the times.
      silent: when the peer was given up, and why.
      took_at: when the connection last took something.
      there: something has arrived that nobody has read.
      looks: the times at which the stream was looked at.
      hands_over: a PING leaves as soon as it is sent.
      told_to_wait: what the heartbeats told of that.
      round_trips: seconds from PINGs to their PONGs.
    """

    def __init__(self, nursery: trio.Nursery, *, version: tuple[int, int] = NEW, **options: Any) -> None:
        self._nursery = nursery
        self.said: list[tuple[float, Ping | Pong]] = []
        self.silent: list[tuple[float, str]] = []
        self.took_at = -1000.0
        self.there = False
        self.looks: list[float] = []
        self.hands_over = True
        self.started = 0
        self.round_trips: list[float] = []
        self.told_to_wait: list[bool] = []
        self.heartbeats = Heartbeats(Options(**options), version, "tcp://peer", self, self)

    def send_heartbeat(self, heartbeat: Ping | Pong) -> None:
        self.said.append((trio.current_time(), heartbeat))
        if self.hands_over and isinstance(heartbeat, Ping):
            self.hand_over()

    def hand_over(self) -> None:
        """The connection takes the PING, whole."""
        self.took_at = trio.current_time()
        self.heartbeats.ping_sent()

    def taken_at(self) -> float:
        return self.took_at

    def heartbeat_answered(self, seconds: float) -> None:
        self.round_trips.append(seconds)

    def kept_waiting(self, waits: bool) -> None:
        self.told_to_wait.append(waits)

    def look(self) -> bool:
        self.looks.append(trio.current_time())
        found, self.there = self.there, False
        return found

    def start_heartbeats(self) -> None:
        assert self.heartbeats.active
        self.started += 1
        self._nursery.start_soon(self._run)

    async def _run(self) -> None:
        try:
            await self.heartbeats.run()
        except SilentPeerError as exc:
            self.silent.append((trio.current_time(), str(exc)))

    @property
    def pings(self) -> list[float]:
        """When PINGs were sent."""
        return [time for time, heartbeat in self.said if isinstance(heartbeat, Ping)]

    @property
    def given_up(self) -> list[float]:
        return [time for time, _ in self.silent]


async def until(time: float) -> None:
    await trio.sleep_until(time)
    await trio.testing.wait_all_tasks_blocked()


def begun(nursery: trio.Nursery, **arguments: Any) -> Rig:
    rig = Rig(nursery, **arguments)
    rig.heartbeats.begin()
    return rig
