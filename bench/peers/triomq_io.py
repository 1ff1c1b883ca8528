"""triomq with its connections in a thread of their own: what that costs, and what it gives."""

from __future__ import annotations

import attrs

from . import triomq

PEER = attrs.evolve(
    triomq.PEER,
    title="triomq, io_thread=True",
    module=None,
    options={"io_thread": True},
    only=frozenset({"push-10", "push-many-10", "req-10", "wait-1ms", "busy"}),
)
