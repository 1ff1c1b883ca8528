"""inproc between trio runs, each in a thread of its own: sockets that meet by `SharedNames`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._public import later
from ._names import SharedNames

if TYPE_CHECKING:
    from ._carrier import SharedCarrier
else:
    __getattr__ = later(__name__, {"._carrier": ["SharedCarrier"]})

__all__ = ["SharedCarrier", "SharedNames"]
