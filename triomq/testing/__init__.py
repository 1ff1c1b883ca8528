"""Whole networks on a mock clock: reconnects, heartbeats, partitions and slow peers, tested in no time.

    async def test_reconnect(virtual_network):
        async with virtual_network.open_context("a") as a, virtual_network.open_context("b") as b:
            …
            virtual_network.crash("b")

The documentation has a tutorial (test-your-reconnect), recipes (test-with-a-virtual-network), the reference (testing),
and tells what makes a run repeatable from its seed, and what a user must leave undone for that (repeatable).
"""

from __future__ import annotations

from ._channel_contracts import MakeChannels, check_receive_channel, check_send_channel
from ._determinism import fixed_schedule
from ._diagram import Diagram
from ._fabric import Partition
from ._mechanism_contract import check_mechanism
from ._network import VirtualNetwork
from ._recorder import Happening, Kind, Recorder
from ._run import run
from ._settings import LinkArguments, LinkSettings
from ._stream import VirtualStream
from ._transport_contract import check_transport

__all__ = [
    "Diagram",
    "Happening",
    "Kind",
    "LinkArguments",
    "LinkSettings",
    "MakeChannels",
    "Partition",
    "Recorder",
    "VirtualNetwork",
    "VirtualStream",
    "check_mechanism",
    "check_receive_channel",
    "check_send_channel",
    "check_transport",
    "fixed_schedule",
    "run",
]
