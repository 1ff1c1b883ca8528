"""Calls that nobody answers, or that are answered late."""

from __future__ import annotations

import trio

from .labs import Lab, name_of
from .situation import Figures, arrival, situation

# --- connecting -----------------------------------------------------------------------------


async def _call_into_nothing(lab: Lab) -> Figures:
    lab.block()
    start = lab.now()
    try:
        await lab.call()
    except OSError as exc:
        failure = name_of(exc)
    else:
        failure = "none"
    return {"called again at": lab.sent(start, "call")[1:7], "given up": lab.now() - start, "with": failure}


@situation("nobody answers a call (Linux before 6.5: tcp_syn_linear_timeouts = 0)", tcp_syn_linear_timeouts=0)
async def call_into_nothing(lab: Lab) -> Figures:
    return await _call_into_nothing(lab)


@situation("nobody answers a call (Linux since 6.5: tcp_syn_linear_timeouts = 4)", tcp_syn_linear_timeouts=4)
async def call_into_nothing_linear(lab: Lab) -> Figures:
    return await _call_into_nothing(lab)


@situation("a call in an outage of 4 s", tcp_syn_linear_timeouts=0)
async def call_in_an_outage(lab: Lab) -> Figures:
    await lab.listen()
    lab.block()
    start = lab.now()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lab.call)
        await trio.sleep(4)
        lab.unblock()
    return {"connected": lab.now() - start}


@situation("nobody listens", latency=0.05)
async def refused(lab: Lab) -> Figures:
    start = lab.now()
    try:
        await lab.call()
    except OSError as exc:
        return {"failed": lab.now() - start, "with": name_of(exc)}
    return {"with": "nothing"}


@situation("the third step of connecting is lost", latency=0.2)
async def third_step_lost(lab: Lab) -> Figures:
    await lab.listen()
    start = lab.now()
    await lab.call()
    lab.block("there")
    await trio.sleep(0.3)
    lab.unblock()
    await lab.accept()
    return {"accepted": lab.now() - start}


@situation("the third step of connecting is lost, and data follows", latency=0.2)
async def third_step_lost_data(lab: Lab) -> Figures:
    await lab.listen()
    start = lab.now()
    near = await lab.call()
    lab.block("there")
    await trio.sleep(0.3)
    lab.unblock()
    near.send(b"x")
    far = await lab.accept()
    return {"accepted": lab.now() - start, "arrived": await arrival(lab, far) - start}


@situation("the third step of connecting is lost for two minutes", latency=0.2)
async def third_step_lost_long(lab: Lab) -> Figures:
    await lab.listen()
    near = await lab.call()
    lab.block()
    await trio.sleep(120)
    lab.unblock()
    start = lab.now()
    near.send(b"x")
    return {"fate": await near.fate(), "after": lab.now() - start}
