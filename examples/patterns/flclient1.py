"""Freelance, the first model: asks one server after the other until one answers.

    python flclient1.py [endpoint ...]

For flserver1.py, or the guide's. Simple; and each dead server costs its second, every time.
"""

import sys
from collections.abc import Sequence
from functools import partial

import trio

import triomq


async def ask(
    ctx: triomq.Context, endpoints: Sequence[str], request: triomq.MessageLike, seconds: float = 1.0
) -> triomq.Message:
    """Ask each server once; a single one, three times. Raises `trio.TooSlowError` if nobody answers."""
    for endpoint in endpoints if len(endpoints) > 1 else [*endpoints] * 3:
        with trio.move_on_after(seconds):
            async with ctx.socket(triomq.REQ, linger=0) as client:
                client.connect(endpoint)
                return await client.request(request)
        print(f"No answer from {endpoint}", flush=True)
    raise trio.TooSlowError(f"none of {', '.join(endpoints)} has answered")


async def main(*endpoints: str) -> None:
    async with triomq.open_context() as ctx:
        reply = await ask(ctx, endpoints or ["tcp://localhost:5555"], b"Hello world")
        print(f"Service is running OK: {reply.text()}", flush=True)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
