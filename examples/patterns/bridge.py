"""A bridge: reads one protocol and writes another. Here lines of text over plain TCP become published messages.

    python bridge.py [port] [publisher]

Try it with ``nc``: the first word of a line is the topic. Every socket of triomq is a trio channel, and so ``pump``
joins anything to anything: a memory channel to a PUB as here, the SUB of one network to the PUSH of another, a PULL to
whatever has a ``send``. Cancelled between its two steps, it has one message in its hands, which ends with it.
"""

import sys
from functools import partial
from typing import TypeVar

import trio

import triomq

LONGEST = 10_000  # bytes of a line
WAITING = 100  # lines; then whoever sends more of them waits

T = TypeVar("T")


async def pump(source: trio.abc.ReceiveChannel[T], sink: trio.abc.SendChannel[T]) -> None:
    """Move what comes from one channel into another, until the source ends."""
    async for item in source:
        await sink.send(item)


async def read_lines(lines: trio.MemorySendChannel[triomq.Message], stream: trio.abc.Stream) -> None:
    """Turn the lines of a connection into messages, until it ends or a line is too long."""
    buffer = bytearray()
    async with stream:
        async for data in stream:
            buffer += data
            *complete, buffer = buffer.split(b"\n")
            for line in complete:
                topic, _, rest = line.rstrip(b"\r").partition(b" ")
                await lines.send(triomq.Message([topic, rest]))
            if len(buffer) > LONGEST:
                return


async def bridge(ctx: triomq.Context, listeners: list[trio.SocketListener], endpoint: str) -> None:
    """Serve for ever."""
    lines, received = trio.open_memory_channel[triomq.Message](WAITING)
    async with ctx.socket(triomq.PUB) as publisher, trio.open_nursery() as nursery:
        await publisher.bind(endpoint)
        nursery.start_soon(pump, received, publisher)
        await trio.serve_listeners(partial(read_lines, lines), listeners)


async def main(port: str = "5557", endpoint: str = "tcp://*:5558") -> None:
    async with triomq.open_context() as ctx:
        await bridge(ctx, await trio.open_tcp_listeners(int(port), host="127.0.0.1"), endpoint)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
