"""A user's program: run, and checked, also where trio-typing's stubs stand before trio's own types."""

from __future__ import annotations

import trio

import triomq


async def reply(rep: triomq.REP) -> None:
    async for message in rep:
        await rep.send(triomq.Message.from_text(message.text().upper()))


async def collect(source: triomq.PULL, count: int) -> list[bytes]:
    bodies: list[bytes] = []
    while len(bodies) < count:
        for message in await source.receive_many(count):
            bodies.append(bytes(message))
    return bodies


async def main() -> None:
    with trio.fail_after(10):
        async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
            rep = ctx.socket(triomq.REP)
            req = ctx.socket(triomq.REQ, linger=0.5, send_hwm=10)
            req.connect(await rep.bind("tcp://127.0.0.1:0"))
            nursery.start_soon(reply, rep)
            await req.send(b"hello")
            answer: triomq.Message = await req.receive()
            if answer.text() != "HELLO":
                raise RuntimeError(f"wrong answer: {answer!r}")

            pull = ctx.socket(triomq.PULL)
            push = ctx.socket(triomq.PUSH, hwm=100)
            push.connect(await pull.bind("inproc://work"))
            for number in range(3):
                await push.send(str(number).encode())
            print(await collect(pull, 3))
            nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
