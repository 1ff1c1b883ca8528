"""Reads two sockets in one loop, without ever waiting for either: the way not to do it.

    python msreader.py [ventilator] [weather server]

As in the guide: the tasks go first, all of them, and only then the weather; and when neither has a message the loop
sleeps a millisecond, which every message after a pause pays for. ``receive_nowait`` is what ZMQ_DONTWAIT was. What one
does instead is in mspoller.
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
        while True:
            for socket, what in ((receiver, "task"), (subscriber, "weather")):
                try:
                    while True:
                        print(what, socket.receive_nowait().text(), flush=True)
                except trio.WouldBlock:
                    pass  # no more of these now
            await trio.sleep(0.001)


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
