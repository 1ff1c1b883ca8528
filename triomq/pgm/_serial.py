"""Sequence numbers: 32 bits on the wire, and numbers without an end in here (RFC 3208 §9.1)."""

from __future__ import annotations

from typing import Final

MASK: Final = 0xFFFFFFFF
_HALF: Final = 1 << 31


def unwrap(serial: int, near: int) -> int:
    """The number that is ``serial`` on the wire, and of all these the nearest to ``near``.

    So a sequence number that has begun anew at 0 goes on counting here. Of two at a distance of 2**31, it is the lower.
    """
    distance = (serial - near) & MASK
    return near + distance - (MASK + 1 if distance >= _HALF else 0)
