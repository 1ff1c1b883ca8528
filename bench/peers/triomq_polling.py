"""triomq that tries to read an answer before it waits: what that saves."""

from __future__ import annotations

import attrs

from ..kinds import Kind
from . import triomq

PEER = attrs.evolve(
    triomq.PEER,
    title="triomq, busy_poll=30e-6",
    module=None,
    works={Kind.REQUEST: triomq.PEER.works[Kind.REQUEST]},
    options={"sockets": {"busy_poll": 30e-6}},
)
