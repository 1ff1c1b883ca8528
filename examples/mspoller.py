"""Reads two sockets, whichever has a message: what the guide does with zmq_poll.

    python mspoller.py [ventilator] [weather server]

Where both feed one piece of code, as here, ``triomq.merge`` makes one channel of them; the sockets take turns, and
nobody wakes up for nothing. Where each has its own code, give each its own task: that is taskwork2.
"""

import sys

import trio

import triomq


async def main(ventilator: str = "tcp://localhost:5557", weather: str = "tcp://localhost:5556") -> None:
    async with (
        triomq.open_context() as ctx,
        ctx.socket(triomq.PULL) as receiver,
        ctx.socket(triomq.SUB, topics=[b"10001 "]) as subscriber,
    ):
        receiver.connect(ventilator)
        subscriber.connect(weather)
        async for socket, message in triomq.merge(receiver, subscriber):
            print("task" if socket is receiver else "weather", message.text(), flush=True)


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
