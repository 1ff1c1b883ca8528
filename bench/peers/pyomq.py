"""pyomq: ØMQ in Rust, with pyzmq's blocking API."""

from __future__ import annotations

import pyomq

from ..kinds import Kind
from . import Peer, Side
from ._binding import Binding

# Many subscriptions are left out: with more than one, not all publications arrive, and no measurement ends (0.21.0).
_WORKS: dict[Kind, tuple[Side, ...]] = {
    kind: sides for kind, sides in Binding(pyomq).works().items() if kind is not Kind.SUBSCRIPTIONS
}

PEER = Peer(title="pyomq, blocking", module="pyomq", works=_WORKS)
