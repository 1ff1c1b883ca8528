"""Bad links and bad luck, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import combinations

import trio

from triomq.testing import VirtualNetwork

HARMLESS = ("partition", "pause")  # for seconds: connections outlive them


def make_rough(net: VirtualNetwork, dice: random.Random, *hosts: str) -> None:
    """Make the links between some hosts bad, but not so bad that TCP gives up."""
    for one, other in combinations(hosts, 2):
        net.link(
            one,
            other,
            latency=dice.choice([0.0, 0.001, 0.05]),
            jitter=dice.choice([0.0, 0.02, 0.2]),
            loss=dice.choice([0.0, 0.05]),
            fragmentation=dice.choice([0.0, 0.3, 1.0]),
            bandwidth=dice.choice([20_000.0, 1_000_000.0, float("inf")]),
            segment_size=dice.choice([100, 1448, 65536]),
            send_buffer=dice.choice([2000, 65536]),
            receive_buffer=dice.choice([4000, 65536]),
        )


async def strike(net: VirtualNetwork, dice: random.Random, one: str, other: str, fault: str, longest: float) -> None:
    """Let something go wrong between two hosts, and be well again after at most so many seconds.

    Args:
      fault: ``reset``, ``black hole``, ``partition``, ``pause``, ``power`` or ``process``; the last three befall
        ``other``. A black hole stays: who shall notice it has heartbeats.
    """
    spell = dice.uniform(0, longest)
    if fault == "reset":
        net.cut(one, other)
    elif fault == "black hole":
        net.cut(one, other, how="black hole")
    elif fault == "partition":
        split = net.partition(one, other)
        await _then(spell, lambda: net.heal(split))
    elif fault == "pause":
        net.pause(other)
        await _then(spell, lambda: net.resume(other))
    else:
        assert fault in ("power", "process")
        net.crash(other, how=fault)
        await _then(spell, lambda: net.restart(other))


async def _then(spell: float, mend: Callable[[], None]) -> None:
    try:
        await trio.sleep(spell)
    finally:
        mend()  # also when the scenario is over before the storm


async def storm(
    net: VirtualNetwork,
    dice: random.Random,
    one: str,
    others: Sequence[str] | str,
    *,
    faults: Sequence[str] = HARMLESS,
    times: int = 4,
    longest: float = 5.0,
) -> None:
    """Strike so many times, with pauses of up to ``longest`` seconds between."""
    for _ in range(times):
        await trio.sleep(dice.uniform(0, longest))
        other = others if isinstance(others, str) else dice.choice(others)
        await strike(net, dice, one, other, dice.choice(faults), longest)
