"""The states of a connection, and what leads from one to the next."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final


class State(enum.Enum):
    """Where a connection stands."""

    GREETING = enum.auto()
    HANDSHAKE = enum.auto()
    VERDICT = enum.auto()
    ESTABLISHED = enum.auto()
    CLOSED = enum.auto()


TRANSITIONS: Final[Mapping[tuple[State, str], State]] = {
    (State.GREETING, "greeting"): State.HANDSHAKE,
    (State.HANDSHAKE, "handshake"): State.ESTABLISHED,
    (State.HANDSHAKE, "question"): State.VERDICT,
    (State.VERDICT, "acceptance"): State.HANDSHAKE,
    (State.VERDICT, "fault"): State.CLOSED,
    (State.GREETING, "fault"): State.CLOSED,
    (State.HANDSHAKE, "fault"): State.CLOSED,
    (State.ESTABLISHED, "fault"): State.CLOSED,
}
"""The state that follows, by state and happening. No other pair is possible."""
