"""Groups: how PUB and SUB sockets meet without connections, by ``epgm://`` and ``pgm://``."""

from __future__ import annotations

from ._carrier import MulticastCarrier

__all__ = ["MulticastCarrier"]
