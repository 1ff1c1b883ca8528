"""Receives envelopes of three frames, and answers each publisher once, at the address in the envelope.

    python psenvsub3.py [name] [publisher ...]

For psenvpub3.py.
"""

import sys
from collections.abc import Sequence
from functools import partial

import trio

import triomq


async def listen(ctx: triomq.Context, name: str, publishers: Sequence[str]) -> None:
    """Print news for ever."""
    answered: set[bytes] = set()
    async with ctx.socket(triomq.SUB, topics=[b"news"]) as subscriber:
        for publisher in publishers:
            subscriber.connect(publisher)
        async for _, address, data in subscriber:
            print(f"{data.decode()}, says {address.decode()}", flush=True)
            if address not in answered:
                answered.add(address)
                async with ctx.socket(triomq.PUSH) as push:
                    push.connect(address.decode())
                    await push.send([name.encode(), b"Thank you"])


async def main(name: str = "somebody", *publishers: str) -> None:
    async with triomq.open_context() as ctx:
        await listen(ctx, name, publishers or ["tcp://localhost:5563"])


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
