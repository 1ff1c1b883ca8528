"""Playing situations: all of them at once on Linux, one of them in virtual time."""

from __future__ import annotations

import trio

from triomq.testing import VirtualNetwork, run

from .beyond import BEYOND
from .labs import RealLab, VirtualLab
from .situations import SITUATIONS, Figures


def play_real(names: list[str]) -> dict[str, Figures]:
    """Play situations at real kernels, each at two of its own, at the same time. Takes 17 minutes for all."""
    figures: dict[str, Figures] = {}
    labs: dict[str, RealLab] = {}

    async def play(name: str, lab: RealLab) -> None:
        try:
            with trio.fail_after(1500):
                figures[name] = await (SITUATIONS[name].play if name in SITUATIONS else BEYOND[name])(lab)
        except Exception as exc:  # the others go on
            figures[name] = {"failed": repr(exc)}
        finally:
            del labs[name]
            lab.close()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for name, lab in list(labs.items()):
                nursery.start_soon(play, name, lab)
                await trio.sleep(0.3)  # or they would all be busy at the same time

    try:
        for name in names:
            situation = SITUATIONS.get(name)
            labs[name] = RealLab(situation.latency, situation.system) if situation else RealLab(0.0005, {})
        trio.run(main)
    finally:
        for lab in labs.values():  # if something has failed before they were played
            lab.wire.close()
    return {name: figures[name] for name in names}


def play_virtual(name: str) -> Figures:
    """Play a situation on a virtual network."""
    situation = SITUATIONS[name]

    async def main(net: VirtualNetwork) -> Figures:
        return await situation.play(VirtualLab(net, situation.latency, situation.give_up))

    return run(main)
