"""A network of hosts in virtual time."""

from __future__ import annotations

from ._listener import VirtualListener
from ._network import VirtualNetwork
from ._partition import Partition
from ._run import run
from ._settings import LinkArguments, LinkSettings
from ._stream import VirtualStream
from ._time_limit import FOUR_HOURS, call_within
from ._transport import VirtualIpc, VirtualTcp

__all__ = [
    "FOUR_HOURS",
    "LinkArguments",
    "LinkSettings",
    "Partition",
    "VirtualIpc",
    "VirtualListener",
    "VirtualNetwork",
    "VirtualStream",
    "VirtualTcp",
    "call_within",
    "run",
]
