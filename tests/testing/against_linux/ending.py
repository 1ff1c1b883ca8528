"""How connections end: resets, half-open ends, and what happens to a stream that its program has closed."""

from __future__ import annotations

import trio

from .labs import Lab, name_of
from .situation import Figures, arrival, situation

# --- ends -----------------------------------------------------------------------------------


@situation("the peer has rebooted, and we write", latency=0.05)
async def rebooted(lab: Lab) -> Figures:
    near, far = await lab.connect()
    lab.reboot(far)
    with trio.move_on_after(20) as scope:
        await near.receive()
    start = lab.now()
    near.send(b"x")
    fate = await near.fate()
    return {"idle for 20 s": "nothing noticed" if scope.cancelled_caught else "noticed", "fate": fate,
            "after": lab.now() - start}  # fmt: skip


@situation("the peer has rebooted in an outage, and we have written", latency=0.05)
async def rebooted_in_an_outage(lab: Lab) -> Figures:
    near, far = await lab.connect()
    lab.block()
    start = lab.now()
    near.send(b"x")
    lab.reboot(far)
    await trio.sleep(7)
    lab.unblock()
    return {"fate": await near.fate(), "after": lab.now() - start}


@situation("one end is shut down, the other goes on", latency=0.05)
async def half_open(lab: Lab) -> Figures:
    near, far = await lab.connect()
    start = lab.now()
    near.send(b"x")
    near.end_sending()
    await arrival(lab, far)
    end = await far.receive()
    ended = lab.now() - start
    await trio.sleep(100)
    far.send(b"later")
    back = await near.receive()
    far.close()
    return {
        "the end arrived": ended,
        "octets after it": len(end),
        "the other way": len(back),
        "then": await near.fate(),
    }


@situation("closed with something unread", latency=0.05)
async def unread(lab: Lab) -> Figures:
    near, far = await lab.connect()
    near.send(b"x")
    await trio.sleep(1)
    start = lab.now()
    far.close()
    return {"fate": await near.fate(), "after": lab.now() - start}


@situation("we write to a peer that has closed", latency=0.05)
async def closed_peer(lab: Lab) -> Figures:
    near, far = await lab.connect()
    far.close()
    await trio.sleep(1)
    first = near.send(b"x")
    await trio.sleep(1)
    try:
        second = str(near.send(b"x"))
    except (OSError, trio.BrokenResourceError) as exc:
        second = name_of(exc)
    return {"the first write took": first, "the second": second}


@situation("something has arrived before a reset", latency=0.05)
async def data_before_reset(lab: Lab) -> Figures:
    near, far = await lab.connect()
    near.send(b"unread")
    far.send(b"word")
    await trio.sleep(1)
    far.close()
    await trio.sleep(1)
    try:
        first = str(len(await near.receive()))
    except (OSError, trio.BrokenResourceError) as exc:
        first = name_of(exc)
    return {"read first": first, "then": await near.fate()}


@situation("closed in an outage of 40 s")
async def closed_in_an_outage(lab: Lab) -> Figures:
    near, far = await lab.connect()
    lab.block()
    start = lab.now()
    near.send(b"x")
    near.close()
    await trio.sleep(40)
    lab.unblock()
    return {"arrived": await arrival(lab, far) - start, "then": await far.fate()}


@situation("closed in an outage of 200 s")
async def closed_in_a_long_outage(lab: Lab) -> Figures:
    near, far = await lab.connect()
    lab.block()
    start = lab.now()
    near.send(b"x")
    near.close()
    await trio.sleep(200)
    lab.unblock()
    last = lab.sent(start, "data", "end")[-1]
    with trio.move_on_after(300) as scope:
        await far.receive()
    return {"last sent": last, "arrived within 500 s": "nothing" if scope.cancelled_caught else "something"}


@situation("closed while the window is shut, and the peer is gone")
async def closed_at_a_shut_window(lab: Lab) -> Figures:
    near, _ = await lab.connect()
    await near.fill()
    lab.block()
    start = lab.now()
    near.close()
    await trio.sleep(400)
    return {"last sent": lab.sent(start, "data", "end", "probe")[-1]}


@situation("closed while the window is shut, and the peer reads after 400 s")
async def closed_and_not_read(lab: Lab) -> Figures:
    near, far = await lab.connect()
    taken = await near.fill()
    near.close()
    await trio.sleep(400)
    received = 0
    try:
        while data := await far.receive():
            received += len(data)
        fate = "end"
    except (OSError, trio.BrokenResourceError) as exc:
        fate = name_of(exc)
    return {"everything arrived": "yes" if received == taken else "no", "then": fate}


@situation("closed while the window is shut, and the peer reads after 60 s")
async def closed_and_read(lab: Lab) -> Figures:
    near, far = await lab.connect()
    taken = await near.fill()
    near.close()
    await trio.sleep(60)
    received = 0
    while data := await far.receive():
        received += len(data)
    return {"everything arrived": "yes" if received == taken else "no"}
