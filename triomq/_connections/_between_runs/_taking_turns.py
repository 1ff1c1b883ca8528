"""How long a run does without the other one: whom it would wake, would only stand in its way.

Theory of operation

Two runs in two threads have one interpreter, and CPython lets one thread at a time run in it. A run lets go of it in
each look for events, that is after each turn of messages. If the other run is awake then, its thread is woken each
time, mostly in vain, for the first one is back before that thread gets anywhere. That costs both of them: some 30 µs
for each turn, as much as the turn's messages cost. So the run that goes on lets the other one sleep. A sender gathers
what it sends, until it has sent no more for a turn, finds no room, or a millisecond has passed. A receiver takes what
it has in the same way, before it tells of room. Then each has the interpreter to itself for a thousand messages or two.

Where threads do run at the same time, in a free-threaded build, nothing waits for that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from ..._runtime import LONGEST_TURN

_one_at_a_time: Final[Callable[[], bool]] = getattr(sys, "_is_gil_enabled", lambda: True)

TOGETHER: Final = LONGEST_TURN if _one_at_a_time() else 0.0
"""seconds for which a run that goes on lets the other one sleep, at the most"""
