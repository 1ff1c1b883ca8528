"""Publishes messages in envelopes: the first frame is the key, the second the content.

    python psenvpub.py [endpoint] [seconds between]

A message is sent as a list of its frames, all of them or none: there is no ZMQ_SNDMORE to forget, and no half of a
message to be stuck in when the task is cancelled.
"""

import sys

import trio

import triomq


async def main(endpoint: str = "tcp://*:5563", pause: str = "1") -> None:
    async with triomq.open_context() as ctx, ctx.socket(triomq.PUB) as publisher:
        await publisher.bind(endpoint)
        while True:
            await publisher.send([b"A", b"We do not want to see this"])
            await publisher.send([b"B", b"We would like to see this"])
            await trio.sleep(float(pause))


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
