"""A program for `test_keyboard_interrupt`: it gets into each state it is told, says so, and stays there for ever."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from functools import partial

import trio
import trio.testing

import triomq

NOBODY = "tcp://127.0.0.1:9"


async def receive(ctx: triomq.Context) -> None:
    await ctx.socket(triomq.PULL).receive()


async def receive_many(ctx: triomq.Context) -> None:
    await ctx.socket(triomq.PULL).receive_many(3)


async def iterate(ctx: triomq.Context) -> None:
    async for _ in ctx.socket(triomq.PULL):
        pass


async def send(ctx: triomq.Context) -> None:
    await ctx.socket(triomq.PUSH).send(b"it")


async def send_many(ctx: triomq.Context) -> None:
    await ctx.socket(triomq.PUSH).send_many([b"it"])


async def request(ctx: triomq.Context) -> None:
    req = ctx.socket(triomq.REQ)
    req.connect(NOBODY)
    await req.request(b"it")


async def merge(ctx: triomq.Context) -> None:
    await triomq.merge(ctx.socket(triomq.PULL), ctx.socket(triomq.PULL)).receive()


async def proxy(ctx: triomq.Context) -> None:
    await triomq.proxy(ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH))


async def wait_peers(ctx: triomq.Context) -> None:
    await ctx.socket(triomq.PULL).wait_peers()


async def wait_subscribers(ctx: triomq.Context) -> None:
    await ctx.socket(triomq.PUB).wait_subscribers(b"it")


async def monitor(ctx: triomq.Context) -> None:
    await ctx.socket(triomq.PUB).monitor().receive()


async def bind(ctx: triomq.Context) -> None:
    pull = ctx.socket(triomq.PULL)
    while True:
        await pull.unbind(await pull.bind("tcp://127.0.0.1:0"))


async def busy(ctx: triomq.Context) -> None:
    push, pull = ctx.socket(triomq.PUSH), ctx.socket(triomq.PULL)
    push.connect(await pull.bind("tcp://127.0.0.1:0"))
    while True:
        await push.send(b"it")
        await pull.receive()


async def aclose(ctx: triomq.Context) -> None:
    push = ctx.socket(triomq.PUSH, linger=1000)
    push.connect(NOBODY)
    await push.send(b"it")
    await push.aclose()


async def leave(ctx: triomq.Context) -> None:
    push = ctx.socket(triomq.PUSH, linger=1000)
    push.connect(NOBODY)
    await push.send(b"it")


STATES: dict[str, Callable[[triomq.Context], Awaitable[None]]] = {
    function.__name__: function
    for function in (
        receive, receive_many, iterate, send, send_many, request, merge, proxy, wait_peers, wait_subscribers, monitor,
        bind, busy, aclose, leave,
    )
}  # fmt: skip

NEVER_ASLEEP = {"bind", "busy"}


async def main(name: str, *, io_thread: bool) -> None:
    async def say_so() -> None:
        if name in NEVER_ASLEEP:
            for _ in range(1000):
                await trio.lowlevel.checkpoint()
        else:
            await trio.testing.wait_all_tasks_blocked(0.02)
        print("ready", flush=True)

    trio.lowlevel.spawn_system_task(say_so)
    async with triomq.open_context(io_thread=io_thread) as ctx:
        await STATES[name](ctx)


if __name__ == "__main__":
    for line in sys.stdin:
        try:
            state, _, io_thread = line.strip().partition(" ")
            trio.run(partial(main, state, io_thread=bool(io_thread)))
        except KeyboardInterrupt:
            print("interrupted", flush=True)
