"""Segments and acknowledgements that are lost, for a time, for ever, or by chance."""

from __future__ import annotations

import trio

from .labs import End, Lab
from .situation import Figures, arrival, situation, write_on

# --- retransmission -------------------------------------------------------------------------


@situation("a segment is lost for ever")
async def silence(lab: Lab) -> Figures:
    near, _ = await lab.connect()
    lab.block()
    start = lab.now()
    near.send(b"x")
    failure = await near.fate()
    return {"sent again at": lab.sent(start, "data")[1:15], "given up": lab.now() - start, "with": failure}


@situation("the same, with 50 ms each way", latency=0.05)
async def silence_far_away(lab: Lab) -> Figures:
    near, _ = await lab.connect()
    lab.block()
    start = lab.now()
    near.send(b"x")
    failure = await near.fate()
    return {"sent again at": lab.sent(start, "data")[1:9], "given up": lab.now() - start, "with": failure}


@situation("the same, with tcp_retries2 = 6", tcp_retries2=6, give_up=25.4)
async def silence_briefly(lab: Lab) -> Figures:
    near, _ = await lab.connect()
    lab.block()
    start = lab.now()
    near.send(b"x")
    failure = await near.fate()
    return {"given up": lab.now() - start, "with": failure}


@situation("an outage of 30 s, one write")
async def outage(lab: Lab) -> Figures:
    near, far = await lab.connect()
    lab.block()
    start = lab.now()
    near.send(b"x")
    await trio.sleep(30)
    lab.unblock()
    return {"arrived": await arrival(lab, far) - start}


@situation("an outage of 30 s, a write every 0.5 s")
async def outage_with_writes(lab: Lab) -> Figures:
    near, far = await lab.connect()
    lab.block()
    start = lab.now()
    near.send(b"x")
    count = await write_on(lab, near, 0.5, 30)
    lab.unblock()
    first = await arrival(lab, far) - start
    await arrival(lab, far, count)
    return {"arrived": first, "the rest after": lab.now() - start - first}


@situation("an outage of 30 s, and after it the peer speaks")
async def outage_then_peer(lab: Lab) -> Figures:
    near, far = await lab.connect()
    lab.block()
    start = lab.now()
    near.send(b"x")
    await trio.sleep(30)
    lab.unblock()
    await trio.sleep(1)
    far.send(b"z")
    heard = await arrival(lab, near) - start
    return {"the peer's word arrived": heard, "arrived": await arrival(lab, far) - start}


@situation("an outage of 30 s, in which both have written")
async def outage_both_write(lab: Lab) -> Figures:
    near, far = await lab.connect()
    lab.block()
    start = lab.now()
    near.send(b"x")
    await trio.sleep(10)
    far.send(b"z")
    await trio.sleep(20)
    lab.unblock()
    arrived: Figures = {}

    async def wait(name: str, end: End) -> None:
        arrived[name] = await arrival(lab, end) - start

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, "written at 0, arrived", far)
        nursery.start_soon(wait, "written at 10, arrived", near)
    return dict(sorted(arrived.items()))


@situation("an outage of 0.15 s, 50 ms each way", latency=0.05)
async def glitch(lab: Lab) -> Figures:
    near, far = await lab.connect()
    lab.block()
    start = lab.now()
    near.send(b"x")
    await trio.sleep(0.15)
    lab.unblock()
    arrived = await arrival(lab, far) - start
    return {"sent again at": lab.sent(start, "data")[1:4], "arrived": arrived}


@situation("an outage of 0.1 s in a stream of segments", latency=0.05)
async def glitch_in_a_stream(lab: Lab) -> Figures:
    near, far = await lab.connect()
    lab.block()
    start = lab.now()
    near.send(b"x")
    await trio.sleep(0.1)
    lab.unblock()
    near.send(b"y")  # its acknowledgement tells of the gap
    await arrival(lab, far, 2)
    return {"both arrived": lab.now() - start}


@situation("only what comes back is lost")
async def answers_lost(lab: Lab) -> Figures:
    near, far = await lab.connect()
    lab.block("back")
    start = lab.now()
    near.send(b"x")
    arrived = await arrival(lab, far) - start
    failure = await near.fate()
    return {
        "arrived": arrived,
        "sent again at": lab.sent(start, "data")[1:6],
        "given up": lab.now() - start,
        "with": failure,
    }


# --- loss by chance -------------------------------------------------------------------------


@situation("loss 1.0")
async def all_lost(lab: Lab) -> Figures:
    near, far = await lab.connect()
    lab.lose(1.0)
    start = lab.now()
    near.send(b"x")
    with trio.move_on_after(60) as scope:
        await far.receive()
    calls = "none"
    with trio.move_on_after(20):
        await lab.call()
        calls = "one"
    return {
        "arrived within 60 s": "nothing" if scope.cancelled_caught else "something",
        "sent again at": lab.sent(start, "data")[1:6],
        "connected within 20 s": calls,
    }


@situation("loss 0.3, 200 questions and answers")
async def lossy(lab: Lab) -> Figures:
    near, far = await lab.connect()
    lab.lose(0.3)
    start = lab.now()
    for number in range(200):
        near.send(b"%d." % number)
        assert await far.receive() == b"%d." % number
        far.send(b"%d!" % number)
        assert await near.receive() == b"%d!" % number
    return {"a question and its answer": (lab.now() - start) / 200}


@situation("loss 0.05, 20 kB at a time", latency=0.01)
async def lossy_stream(lab: Lab) -> Figures:
    near, far = await lab.connect()
    lab.lose(0.05)
    sent = bytes(range(250)) * 80
    start = lab.now()
    for _ in range(20):
        received = b""
        near.send(sent)
        while len(received) < len(sent):
            received += await far.receive()
        assert received == sent  # in order
    return {"20 kB": (lab.now() - start) / 20}


@situation("segments take 0 to 50 ms longer, 20 kB at a time", latency=0.01)
async def disorder(lab: Lab) -> Figures:
    near, far = await lab.connect()
    lab.shake(0.05)
    sent = bytes(range(250)) * 80
    for _ in range(20):
        received = b""
        near.send(sent)
        while len(received) < len(sent):
            received += await far.receive()
        if received != sent:
            return {"in order": "no"}
    return {"in order": "yes"}
