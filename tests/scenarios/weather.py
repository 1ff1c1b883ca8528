"""Bad links, drawn from a seed."""

from __future__ import annotations

import random
from itertools import combinations

from triomq.testing import VirtualNetwork


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
