"""Ten requests to whatever answers behind the broker: rrbroker or msgqueue.

    python rrclient.py [broker] [requests]

The client knows one address, the broker's, and cannot tell how many workers there are. That it is started before the
broker or the workers does not matter: its request waits for them.
"""

import sys

import trio

import triomq


async def main(broker: str = "tcp://localhost:5559", requests: str = "10") -> None:
    async with triomq.open_context() as ctx, ctx.socket(triomq.REQ) as client:
        client.connect(broker)
        for number in range(int(requests)):
            reply = await client.request(b"Hello")
            print(f"Received reply {number} [{reply.text()}]")


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
