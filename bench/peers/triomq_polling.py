"""triomq that tries to read an answer before it waits: what that saves."""

from __future__ import annotations

import attrs

from . import triomq

PEER = attrs.evolve(
    triomq.PEER,
    title="triomq, busy_poll=30e-6",
    module=None,
    only=frozenset({"req-10"}),
    options={"sockets": {"busy_poll": 30e-6}},
)
