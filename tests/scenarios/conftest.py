"""What every scenario has: a network whose weather the seed decides, and a look for what was left behind."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
import trio

from triomq.testing import VirtualNetwork

from .weather import make_rough


@pytest.fixture
def dice(triomq_seed: int) -> random.Random:
    """The scenario's own chance."""
    return random.Random(f"scenario {triomq_seed}")


@pytest.fixture
async def net(virtual_network: VirtualNetwork) -> AsyncIterator[VirtualNetwork]:
    """The network; when the scenario is over there is no task and no connection of it left."""
    tasks = trio.lowlevel.current_statistics().tasks_living
    yield virtual_network
    await trio.sleep(2000)  # what a kernel still had to send has been sent, or given up
    assert trio.lowlevel.current_statistics().tasks_living <= tasks
    hosts = virtual_network._fabric.hosts.values()
    assert [stream for host in hosts for stream in host.streams] == []
    assert [listener for host in hosts for listener in host.listeners.values()] == []


@pytest.fixture
def rough(net: VirtualNetwork, dice: random.Random) -> Callable[..., None]:
    """Make the links between some hosts bad, but not so bad that TCP gives up."""
    return partial(make_rough, net, dice)
