"""Virtual times, to be read."""

from __future__ import annotations

from collections.abc import Iterable


def time_digits(times: Iterable[float]) -> int:
    """The number of decimals, from 3 to 6, that tell these times apart as well as 6 do."""
    exact = {f"{time:.6f}" for time in times}
    for digits in 3, 4, 5:
        if len({f"{float(text):.{digits}f}" for text in exact}) == len(exact):
            return digits
    return 6


def show_time(time: float, digits: int) -> str:
    """A virtual time, in seconds."""
    return f"{time:.{digits}f}"


def show_gap(seconds: float) -> str:
    """How long something took, in three digits: ``0 s``, ``1.5 ms``, ``12.3 s``, ``59.9 min``, ``2.08 h``."""
    if seconds < 1e-6:
        return "0 s"
    for factor, unit, least in (1 / 3600, "h", 5997.0), (1 / 60, "min", 99.95), (1.0, "s", 0.9995):
        if seconds >= least:
            amount = seconds * factor
            return f"{amount:,.0f} {unit}" if amount >= 999.5 else f"{amount:.3g} {unit}"
    return f"{seconds * 1000:.3g} ms"
