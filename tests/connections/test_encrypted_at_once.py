"""How many messages are encrypted for one write: no longer than other tasks can wait."""

from __future__ import annotations

from collections import deque

import pytest

from triomq import Message, zmtp
from triomq._connections._writer import few_enough

KIB = b"x" * 1024


@pytest.mark.parametrize(
    ("queue", "most", "count"),
    [
        # large ones by themselves
        ([(1024 * KIB,)] * 3, 64, 1),
        ([(b"",), (1024 * KIB,), (b"",)], 64, 2),
        # about 128 KiB of others, the frames of one counted together
        ([(32 * KIB,)] * 64, 64, 4),
        ([Message([16 * KIB, 16 * KIB])] * 64, 64, 4),
        # small ones by their number
        ([(b"",)] * 2000, 2000, 1024),
        ([(b"",)] * 2000, 64, 64),
        # no more than are asked for; all, if there are fewer
        ([(KIB,)] * 3, 2, 2),
        ([(KIB,)] * 3, 64, 64),
        ([], 64, 64),
        # what is no message has no size to speak of
        ([zmtp.Ping(1.0, b""), zmtp.Subscribe(b"topic"), (1024 * KIB,), (b"",)], 64, 3),
    ],
)
def test_few_enough_are_encrypted_at_once(queue, most, count):
    assert few_enough(deque(queue), most) == count
