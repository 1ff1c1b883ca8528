"""Quantiles of what was measured many times."""

from __future__ import annotations

import math
from collections.abc import Sequence

WORST = "worst"
"""The name of the greatest of the values."""

_SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest of the values that is not exceeded by this share of them; they are sorted already."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def summary(values: Sequence[float]) -> dict[str, float]:
    """The quantiles that tell how long one waits, and the worst."""
    ordered = sorted(values)
    return {name: quantile(ordered, share) for name, share in _SHARES.items()} | {WORST: ordered[-1]}
