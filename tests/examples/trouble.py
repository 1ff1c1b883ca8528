"""What goes wrong with hosts while a pattern is tested."""

from __future__ import annotations

import random

import trio


async def stand_still(net, host: str, seconds: float) -> None:
    """Let a host's process stand still for a while."""
    net.pause(host)
    await trio.sleep(seconds)
    net.resume(host)


async def lose_power(net, host: str, seconds: float) -> None:
    net.crash(host)
    await trio.sleep(seconds)
    net.restart(host)


async def kill(net, host: str, seconds: float) -> None:
    net.crash(host, how="process")
    await trio.sleep(seconds)
    net.restart(host)


async def cut_off(net, host: str, seconds: float) -> None:
    partition = net.partition(host)
    await trio.sleep(seconds)
    net.heal(partition)


FAULTS = {"stand still": stand_still, "lose power": lose_power, "kill": kill, "cut off": cut_off}


async def trouble(net, seed: int, hosts: list[str], longest: float, *faults: str) -> None:
    """One fault after another, of all or of these, at one of the hosts; each for ``longest`` seconds at most."""
    dice = random.Random(seed)
    choice = [FAULTS[name] for name in faults or FAULTS]
    while True:
        await trio.sleep(dice.uniform(0, 5))
        await dice.choice(choice)(net, dice.choice(hosts), dice.uniform(0.1, longest))
