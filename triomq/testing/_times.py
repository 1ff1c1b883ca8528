"""Virtual times, to be read."""

from __future__ import annotations

from collections.abc import Iterable


def time_digits(times: Iterable[float]) -> int:
    """Decimals, from 3 to 6, that tell these times apart as well as 6 do."""
    exact = {f"{time:.6f}" for time in times}
    for digits in 3, 4, 5:
        if len({f"{float(text):.{digits}f}" for text in exact}) == len(exact):
            return digits
    return 6


def show_time(time: float, digits: int) -> str:
    """A virtual time, in seconds."""
    return f"{time:.{digits}f}"


def show_gap(seconds: float) -> str:
    """How long something took: ``0 s``, ``1.5 ms``, ``12.3 s``, ``59 min 58 s``, ``2 h 5 min``."""
    if seconds < 1e-6:
        return "0 s"
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 99.95:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
