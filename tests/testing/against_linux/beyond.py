"""What Linux does and a virtual network does not: errors of one's own cable. Played at real kernels alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import trio

from .labs import RealLab, name_of
from .situation import Figures, arrival


async def _call(lab: RealLab) -> Figures:
    start = lab.now()
    try:
        await lab.call()
    except OSError as exc:
        return {"failed": lab.now() - start, "with": name_of(exc)}
    return {"failed": "no"}


async def neighbour_missing(lab: RealLab) -> Figures:
    """A call to a host on the same cable that does not answer ARP."""
    lab.wire.arp = False
    lab.block()
    return await _call(lab)


async def neighbour_lost(lab: RealLab) -> Figures:
    """A segment is lost for ever, and the peer, on the same cable, does not answer ARP either."""
    near, _ = await lab.connect()
    lab.wire.arp = False
    lab.block()
    start = lab.now()
    near.send(b"x")
    return {"with": await near.fate(), "given up": lab.now() - start}


async def own_link_down(lab: RealLab) -> Figures:
    """A call while one's own interface is down."""
    lab.wire.command("a", "ip", "link", "set", "tap0", "down")
    return await _call(lab)


async def own_link_down_for_a_while(lab: RealLab) -> Figures:
    """One's own interface is down for 5 s, and something was written meanwhile."""
    near, far = await lab.connect()
    start = lab.now()
    lab.wire.command("a", "ip", "link", "set", "tap0", "down")
    near.send(b"x")
    await trio.sleep(5)
    lab.wire.command("a", "ip", "link", "set", "tap0", "up")
    return {"arrived": await arrival(lab, far) - start}


BEYOND: Final[dict[str, Callable[[RealLab], Awaitable[Figures]]]] = {
    play.__name__: play for play in (neighbour_missing, neighbour_lost, own_link_down, own_link_down_for_a_while)
}
