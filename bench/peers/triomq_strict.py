"""triomq with a checkpoint of trio in every call, as trio's own functions have it: what that costs."""

from __future__ import annotations

import attrs

from . import triomq

PEER = attrs.evolve(
    triomq.PEER,
    title="triomq, strict_checkpoints=True",
    module=None,
    options={"strict_checkpoints": True},
    only=frozenset({"push-10", "push-many-10", "req-10", "inproc-10", "wait-1ms"}),
)
