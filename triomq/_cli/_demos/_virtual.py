"""``triomq demo virtual``: a network that does not exist, drawn as a sequence diagram."""

from __future__ import annotations

import trio

from ... import REP, REQ, Context
from ...testing import VirtualNetwork, run
from ._stage import Outcome

_ENDPOINT = "tcp://server:5555"


def run_demo(seed: int, width: int) -> int:
    """Show it. Returns: the exit code."""
    from .._exits import DONE, FAILED

    print(
        "A client and a server on a virtual network. The server's machine loses its power, and comes back.\n"
        "Nothing of this takes time, and the same seed gives the same run.\n"
    )
    diagram, outcome = run(play, width, seed=seed)
    print(diagram)
    print(outcome.text)
    print("\n".join([f"WRONG: {fault}" for fault in outcome.faults]) or outcome.right, flush=True)
    return FAILED if outcome.faults else DONE


async def play(net: VirtualNetwork, width: int) -> tuple[str, Outcome]:
    """Ask, lose the server, ask again. Returns: the diagram, and what was found."""
    replies: list[bytes] = []
    net.link("client", "server", latency=0.02)
    async with trio.open_nursery() as nursery, net.open_context("client") as ctx:
        nursery.start_soon(net.run_on, "server", _serve)
        req = ctx.socket(REQ, heartbeat_interval=1, heartbeat_timeout=1, connect_timeout=2, linger=0)
        req.connect(_ENDPOINT)
        replies.append(bytes(await req.request(b"How is the weather?")))
        net.crash("server")
        with trio.move_on_after(6):
            replies.append(bytes(await req.request(b"And now?")))
        net.restart("server")
        replies.append(bytes(await req.request(b"Are you back?")))
        diagram = net.diagram(hosts=["client", "server"], title="the server loses its power").text(width)
        seconds = trio.current_time()
        nursery.cancel_scope.cancel()
    faults = [] if replies == [b"fine"] * 2 else [f"the replies were {replies!r}"]
    right = "Both replies are right, the second by the same socket: it had reconnected by itself."
    return diagram, Outcome(f"{seconds:.1f} seconds of the virtual network.\n", faults, right)


async def _serve(ctx: Context) -> None:
    async with ctx.socket(REP) as rep:
        await rep.bind("tcp://*:5555")
        async for _ in rep:
            await rep.send(b"fine")
