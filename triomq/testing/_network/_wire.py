"""What lies between the two ends of a connection, one way: latency, chance, and what is shut just now."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import final

import trio

from .._recorder import Kind
from ._path import Path
from ._segment import WORDS, Segment
from ._world import World


@final
class Wire:
    """One connection's share of the path from one host to the other.

    Args:
      path: what all connections from that host to the other share.
      back: the path of what acknowledges.
      number: of the connection.

    Attributes:
      black_hole: nothing arrives.
      remark: for the record: which direction this is, where both ends are on one host.
    """

    __slots__ = ("_dice", "_last_arrival", "_number", "_world", "back", "black_hole", "path", "remark")

    def __init__(self, world: World, path: Path, back: Path, number: int) -> None:
        self.path: Path = path
        self.back: Path = back
        self.black_hole: bool = False
        self.remark: str = ""
        self._world = world
        self._number = number
        self._last_arrival = 0.0
        self._dice: random.Random | None = None

    @property
    def round_trip(self) -> float:
        """Seconds from sending something small to its acknowledgement."""
        return self.path.settings.latency + self.back.settings.latency

    @property
    def dice(self) -> random.Random:
        """This direction's own source of chance."""
        if self._dice is None:
            self._dice = self._world.dice("link", self._number, self.path.source)
        return self._dice

    def chance(self, probability: float) -> bool:
        """Whether something that happens with a probability happens now."""
        return probability > 0 and self.dice.random() < probability

    def cut(self, size: int) -> int:
        """``size`` itself or, where the path fragments, sometimes a smaller one from 1 on."""
        return self.dice.randint(1, size) if size > 1 and self.chance(self.path.settings.fragmentation) else size

    def passes(self) -> bool:
        """Whether what reaches the other end now arrives, if chance does not take it."""
        return not self.black_hole and self.path.is_open()

    def answers(self) -> bool:
        """Whether an acknowledgement that leaves now comes back."""
        return not self.black_hole and self.back.is_open() and not self.chance(self.back.settings.loss)

    def carry(self, size: int, arrive: Callable[..., None], *arguments: object) -> None:
        """Call ``arrive(*arguments, lost)`` when what is sent now arrives; ``lost``: chance takes it."""
        settings = self.path.settings
        delay = settings.latency
        if size and settings.bandwidth < float("inf"):
            delay += size / settings.bandwidth
        if settings.jitter:
            delay += self.dice.uniform(0, settings.jitter)
        self._last_arrival = max(self._last_arrival, trio.current_time() + delay)  # TCP keeps the order
        self._world.agenda.plan(self._last_arrival, arrive, *arguments, self.chance(settings.loss))

    def plan(self, time: float, action: Callable[..., None], *arguments: object) -> None:
        """Call ``action(*arguments)`` at a time."""
        self._world.agenda.plan(time, action, *arguments)

    def record(self, kind: Kind, segment: Segment | None = None, text: str = "") -> None:
        """Note what happens to a segment, or to the connection."""
        data = b""
        if segment is not None:
            data = segment.data
            if kind in ("lost", "tried again"):
                text = WORDS[segment.kind]
        if self.remark:
            text = f"{text}, {self.remark}" if text else self.remark
        self._world.recorder.record(kind, self.path.source, self.path.target, self._number, data, text)
