"""The benchmark of multicast groups: what it counts, with triomq on both sides."""

from __future__ import annotations

import math
import sys

import pytest

from bench import multicast

pytestmark = pytest.mark.slow


def test_a_pair_of_processes_counts_every_message(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))
    side = [sys.executable, "-m", "bench.multicast"]
    found = multicast.measure(side, side, "epgm://127.0.0.1;239.192.55.5:25555", 100_000, 500, 1000)
    assert found.received == 500
    assert 0 < found.seconds < math.inf
    line = multicast.row(("triomq", "triomq"), found, 500, 1000)
    assert line.startswith("triomq  → triomq       500 of 500")
