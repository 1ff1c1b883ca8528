"""Virtual times, to be read."""

from __future__ import annotations

import pytest

from triomq.testing._times import show_gap, show_time, time_digits


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (1e-5, "0.01 ms"),
        (0.001, "1 ms"),
        (0.0123456, "12.3 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (59.96, "60 s"),
        (99.9, "99.9 s"),
        (100, "1.67 min"),
        (3599.5, "60 min"),
        (5996, "99.9 min"),
        (6000, "1.67 h"),
        (86400, "24 h"),
        (5e6, "1,389 h"),
    ],
)
def test_how_long(seconds: float, text: str) -> None:
    assert show_gap(seconds) == text


@pytest.mark.parametrize(
    ("times", "digits"),
    [([], 3), ([0.0, 1.5], 3), ([0.0001, 0.0002], 4), ([0.00001, 0.0], 5), ([1e-6, 0.0], 6), ([1e-9, 0.0], 3)],
)
def test_as_many_decimals_as_tell_times_apart(times: list[float], digits: int) -> None:
    assert time_digits(times) == digits
    assert show_time(2.0, digits) == "2." + "0" * digits
