"""A whole run in virtual time, without pytest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple, Unpack

import trio
import trio.testing

from ._determinism import fixed_schedule
from ._network import VirtualNetwork
from ._settings import LinkArguments

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


def run(
    function: Callable[[VirtualNetwork, *Arguments], Awaitable[T]],
    *arguments: *Arguments,
    seed: int = 0,
    **link: Unpack[LinkArguments],
) -> T:
    """`trio.run` ``await function(net, …)`` on a new virtual network, in virtual time.

    Args:
      seed: the network's.
      link: how links are; see `LinkSettings`.
    Returns: what the function returned.
    """

    async def main() -> T:
        async with VirtualNetwork(seed, **link) as net:
            return await function(net, *arguments)

    with fixed_schedule(seed):
        return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
