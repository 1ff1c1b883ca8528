"""pyzmq's blocking API on libzmq: the measure of speed."""

from __future__ import annotations

import zmq

from . import Peer
from ._binding import Binding

PEER = Peer(title="pyzmq, blocking", module="zmq", works=Binding(zmq).works())
