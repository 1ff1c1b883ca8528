"""A whole run in virtual time, without pytest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar, TypeVarTuple, Unpack

import trio
import trio.testing

from .._determinism import fixed_schedule
from ._network import VirtualNetwork
from ._settings import LinkArguments
from ._time_limit import FOUR_HOURS, call_within

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


def run(
    function: Callable[[VirtualNetwork, *Arguments], Awaitable[T]],
    *arguments: *Arguments,
    seed: int = 0,
    time_limit: float = FOUR_HOURS,
    **link: Unpack[LinkArguments],
) -> T:
    """`trio.run` ``await function(net, …)`` on a new virtual network, in virtual time.

    Args:
      seed: the network's.
      time_limit: most seconds of virtual time that it may take; ``math.inf`` for no limit.
      link: how links are; see `LinkSettings`.
    Returns: what the function returned.
    Raises:
      trio.TooSlowError: the time limit has passed; the text says which lines the function's tasks wait in.
    """

    async def main() -> T:
        async with VirtualNetwork(seed, **link) as net:
            call = partial(function, net, *arguments)
            return await call_within(net, time_limit, call, "change that with time_limit=")

    with fixed_schedule(seed):
        return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
