"""pyomq: ØMQ in Rust, with pyzmq's blocking API."""

from __future__ import annotations

import pyomq

from . import Peer
from ._binding import Binding

PEER = Peer(title="pyomq, blocking", module="pyomq", works=Binding(pyomq).works())
