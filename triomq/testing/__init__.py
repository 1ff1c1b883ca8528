"""Whole networks on a mock clock: reconnects, heartbeats, partitions and slow peers, tested in no time.

    async def test_reconnect(virtual_network):
        async with virtual_network.open_context("a") as a, virtual_network.open_context("b") as b:
            …
            virtual_network.crash("b")

The documentation has a tutorial (test-your-reconnect), recipes (test-with-a-virtual-network), the reference (testing),
and tells what makes a run repeatable from its seed, and what a user must leave undone for that (repeatable).
"""

from __future__ import annotations

from .._public import publish
from ._contracts import MakeChannels, check_mechanism, check_receive_channel, check_send_channel, check_transport
from ._determinism import fixed_schedule
from ._diagram import Diagram
from ._network import LinkArguments, LinkSettings, Partition, VirtualNetwork, VirtualStream, run
from ._recorder import Happening, Kind, Recorder

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

publish("triomq.testing", globals(), __all__)
