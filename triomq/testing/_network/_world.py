"""What everything on a network shares: chance, time and the record."""

from __future__ import annotations

from random import Random
from typing import final

import attrs

from .._determinism import Turns, seeded
from .._recorder import Recorder
from ._agenda import Agenda


@final
@attrs.frozen(eq=False)
class World:
    """What every part of a network is given.

    Attributes:
      seed: the network's; every chance is drawn from it.
      agenda: what the network will do, and when.
      recorder: what has happened.
      turns: the order of what tasks do.
    """

    seed: int
    recorder: Recorder
    agenda: Agenda = attrs.field(factory=Agenda)
    turns: Turns = attrs.field(factory=Turns)

    def dice(self, *purpose: object) -> Random:
        """A source of chance for one purpose: the same in every run with this seed."""
        return seeded(self.seed, *purpose)
