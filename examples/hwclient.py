"""Says "Hello" ten times, and prints each answer: for hwserver, mtserver and interrupt.

    python hwclient.py [endpoint] [requests]

``request`` is one exchange, and one thing to cancel: around it goes ``trio.fail_after(seconds)`` where there must be
an answer in time. Given up on, it leaves the socket ready for the next request.
"""

import sys

import trio

import triomq


async def main(endpoint: str = "tcp://localhost:5555", requests: str = "10") -> None:
    async with triomq.open_context() as ctx, ctx.socket(triomq.REQ) as client:
        client.connect(endpoint)
        for number in range(1, int(requests) + 1):
            reply = await client.request(b"Hello")
            print(f"Received {reply.text()} {number}")


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
