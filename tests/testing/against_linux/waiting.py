"""Idle connections with keep-alive, and windows that are shut."""

from __future__ import annotations

import itertools

import trio

from .labs import Lab
from .situation import Figures, arrival, room, situation

# --- keep-alive -----------------------------------------------------------------------------


@situation("keep-alive 5 s, 2 s, 3 times: an idle peer lives")
async def keepalive_answered(lab: Lab) -> Figures:
    await lab.connect(tcp_keepalive=True, tcp_keepalive_idle=5, tcp_keepalive_interval=2, tcp_keepalive_count=3)
    start = lab.now() - 1  # `connect` ends with a second of silence
    await trio.sleep(22)
    return {"probes at": lab.sent(start, "probe")[:3]}


@situation("keep-alive 5 s, 2 s, 3 times: an idle peer is gone")
async def keepalive_unanswered(lab: Lab) -> Figures:
    near, _ = await lab.connect(
        tcp_keepalive=True, tcp_keepalive_idle=5, tcp_keepalive_interval=2, tcp_keepalive_count=3
    )
    start = lab.now() - 1
    lab.block()
    failure = await near.fate()
    return {"probes at": lab.sent(start, "probe")[:3], "given up": lab.now() - start, "with": failure}


@situation("keep-alive 5 s, 2 s, 3 times: with data outstanding", tcp_retries2=8, give_up=102.2)
async def keepalive_with_data(lab: Lab) -> Figures:
    near, _ = await lab.connect(
        tcp_keepalive=True, tcp_keepalive_idle=5, tcp_keepalive_interval=2, tcp_keepalive_count=3
    )
    lab.block()
    start = lab.now()
    near.send(b"x")
    failure = await near.fate()
    return {"given up": lab.now() - start, "with": failure}


@situation("keep-alive 5 s, 2 s, 3 times: the peer has rebooted", latency=0.05)
async def keepalive_rebooted(lab: Lab) -> Figures:
    near, far = await lab.connect(
        tcp_keepalive=True, tcp_keepalive_idle=5, tcp_keepalive_interval=2, tcp_keepalive_count=3
    )
    start = lab.now() - 1
    lab.reboot(far)
    return {"fate": await near.fate(), "after": lab.now() - start}


# --- a shut window --------------------------------------------------------------------------


@situation("the peer does not read for 60 s")
async def zero_window(lab: Lab) -> Figures:
    near, far = await lab.connect()
    start = lab.now()
    await near.fill()
    await trio.sleep(60)
    probes = lab.sent(start, "probe")
    pauses = [later - earlier for earlier, later in itertools.pairwise(probes)]
    start = lab.now()
    await arrival(lab, far, 60_000)
    await room(near)
    return {"pauses between probes": pauses[-4:], "room after reading": lab.now() - start}


@situation("the peer does not read for 10 s, and is gone", tcp_retries2=6, give_up=25.4)
async def zero_window_gone(lab: Lab) -> Figures:
    near, _ = await lab.connect()
    await near.fill()
    await trio.sleep(10)
    lab.block()
    start = lab.now()
    failure = await near.fate()
    return {"given up": lab.now() - start, "with": failure}


@situation("the peer does not read, and is gone at once", tcp_retries2=6, give_up=25.4)
async def zero_window_gone_at_once(lab: Lab) -> Figures:
    near, _ = await lab.connect()
    start = lab.now()
    await near.fill()
    lab.block()
    failure = await near.fate()
    return {"given up": lab.now() - start, "with": failure}


@situation("the word that there is room is lost")
async def window_update_lost(lab: Lab) -> Figures:
    near, far = await lab.connect()
    await near.fill()
    await trio.sleep(4)
    lab.block()
    start = lab.now()
    await arrival(lab, far, 60_000)
    await trio.sleep(1)
    lab.unblock()
    await trio.sleep(0.5)
    soon = near.send(bytes(1))
    await room(near)
    probe = next(time for time in lab.sent(start, "probe") if time > 1)
    return {"room 0.5 s after healing": "yes" if soon else "no", "room after a probe": lab.now() - start - probe}


@situation("a shut window, and the peer reboots", latency=0.05)
async def zero_window_rebooted(lab: Lab) -> Figures:
    near, far = await lab.connect()
    await near.fill()
    lab.reboot(far)
    return {"fate": await near.fate()}
