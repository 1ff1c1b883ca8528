"""A thin server in front of a ØMQ backend: speaks lines of text to the world, and Majordomo inside.

    python linefront.py [port] [endpoint of the broker]

For mdbroker.py and mdworker.py. Try it with ``nc``: ``echo Hello`` asks the service "echo". The workers may be written
in any language; those who connect here need no ØMQ. A front for HTTP has the same shape: read a request, ask, answer.
"""

import sys
from functools import partial

import mdp
import trio

import triomq

LONGEST = 10_000  # bytes of a line
PATIENCE = 3.0  # seconds for an answer


async def answer(client: triomq.REQ, line: bytes) -> bytes:
    service, _, text = line.rstrip(b"\r").partition(b" ")
    try:
        return b"OK " + b" ".join(await mdp.ask(client, service, [text], PATIENCE, tries=1))
    except trio.TooSlowError:
        return b"ERROR nobody has answered"


async def serve(ctx: triomq.Context, broker: str, stream: trio.abc.Stream) -> None:
    """Answer the lines of one connection, in turn, until it ends or a line is too long."""
    buffer = bytearray()
    async with stream, mdp.connect(ctx, broker) as client:
        async for data in stream:
            buffer += data
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                await stream.send_all(await answer(client, bytes(line)) + b"\n")
            if len(buffer) > LONGEST:
                await stream.send_all(b"ERROR that line is too long\n")
                return


async def serve_quietly(ctx: triomq.Context, broker: str, stream: trio.abc.Stream) -> None:
    try:
        await serve(ctx, broker, stream)
    except trio.BrokenResourceError:
        pass  # it has left without waiting for the answer


async def main(port: str = "8080", broker: str = "tcp://localhost:5555") -> None:
    async with triomq.open_context() as ctx:
        await trio.serve_tcp(partial(serve_quietly, ctx, broker), int(port), host="127.0.0.1")


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
