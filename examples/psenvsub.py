"""Subscribes to the messages whose envelope says "B".

    python psenvsub.py [publisher] [messages]

Only the first frame is matched, so no content can be taken for a key. A message is a tuple of its frames: opening the
envelope is unpacking it. It runs until Ctrl-C, or for as many messages as it is told.
"""

import sys

import trio

import triomq


async def main(publisher: str = "tcp://localhost:5563", messages: str = "0") -> None:
    async with triomq.open_context() as ctx, ctx.socket(triomq.SUB, topics=[b"B"]) as subscriber:
        subscriber.connect(publisher)
        received = 0
        async for key, content in subscriber:
            print(f"[{key.decode()}] {content.decode()}", flush=True)
            received += 1
            if received == int(messages):
                break


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
