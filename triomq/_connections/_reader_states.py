"""The states of a reader, and which call is allowed in which.

States are compared by identity, and are plain objects: an ``enum`` as the key of a table costs a call of Python for its
hash, and a reader changes its state for every message that is waited for.
"""

from __future__ import annotations

from typing import Final


class State:
    """Which task reads, and where the messages go.

    Attributes:
      after: the state after each call that is allowed in this one; made of `MOVES`.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.after: dict[str, State] = {}

    def __repr__(self) -> str:
        return self._name


READING: Final = State("READING")  # the reader's own task reads into the inbox
LENT: Final = State("LENT")  # a user's task reads into the inbox
FULL: Final = State("FULL")  # nobody reads until the inbox has room
LEAVING: Final = State("LEAVING")  # the reader's own task reads and throws away: the socket is closed
ENDED: Final = State("ENDED")  # nobody reads any more

MOVES: Final[dict[tuple[State, str], State]] = {
    (READING, "lend"): LENT,
    (LENT, "take back"): READING,
    (READING, "take back"): READING,
    (LEAVING, "take back"): LEAVING,
    (ENDED, "take back"): ENDED,
    (READING, "fill"): FULL,
    (FULL, "empty"): READING,
    (LEAVING, "empty"): LEAVING,
    (ENDED, "empty"): ENDED,
    (READING, "leave"): LEAVING,
    (LENT, "leave"): LEAVING,
    (FULL, "leave"): LEAVING,
    (LEAVING, "leave"): LEAVING,
    (ENDED, "leave"): ENDED,
    (READING, "end"): ENDED,
    (LENT, "end"): ENDED,
    (FULL, "end"): ENDED,
    (LEAVING, "end"): ENDED,
    (ENDED, "end"): ENDED,
}
"""State and call to the state after it; no other call is allowed in that state.

A borrower gives back in any state but FULL: the connection may have been taken from it meanwhile.
"""

for (_before, _call), _after in MOVES.items():
    _before.after[_call] = _after
