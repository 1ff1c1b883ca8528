"""All situations. A module registers its own when it is imported."""

from __future__ import annotations

from . import connecting, ending, sending, waiting
from .situation import SITUATIONS, Figures, Situation

__all__ = ["SITUATIONS", "Figures", "Situation", "connecting", "ending", "sending", "waiting"]
