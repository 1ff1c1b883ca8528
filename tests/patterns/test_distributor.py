"""A message to many: encoded once, kept by nobody who has written it."""

from __future__ import annotations

import pytest

from triomq._patterns import Audience, Distributor
from triomq._pipes import Pipe

from .pipes import Owner


@pytest.mark.parametrize("hwm", [10, 1000])
def test_what_all_have_written_is_kept_by_nobody(hwm: int) -> None:
    """Not even for the audience, whose tail is closed but still known; nor what is dropped."""
    pipes = [Owner().pipe(send_hwm=hwm) for _ in range(3)]
    for pipe in pipes:
        pipe.shares_encoding = True
    audience: Audience[Pipe] = Audience(pipes)
    for _ in range(200):
        Distributor().publish((b"it",), audience)
    assert [pipe.queued() for pipe in pipes] == [min(hwm, 200)] * 3
    assert [pipe.dropped for pipe in pipes] == [200 - min(hwm, 200)] * 3
    for pipe in pipes:
        messages, rows = pipe.take(1000)
        assert b"".join(rows or messages) == b"\0\2it" * min(hwm, 200)
        assert pipe.queued() == 0
    assert audience.shared.tail.messages == []
    assert Distributor().publish((b"it",), audience) == (3 if hwm < 64 else 1)
