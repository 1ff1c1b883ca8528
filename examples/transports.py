"""One publisher and one subscriber, over each of the five transports in turn: only the endpoint differs.

    python transports.py [endpoint ...]

``pgm`` needs the capability CAP_NET_RAW, and is left out without it.
"""

import sys
import tempfile

import trio

import triomq


def endpoints(directory: str) -> list[str]:
    """One of each transport."""
    return [
        "inproc://weather",  # within one context
        f"ipc://{directory}/weather",  # within one machine
        "tcp://127.0.0.1:5556",  # everywhere
        "epgm://127.0.0.1;239.192.1.1:5557",  # a multicast group; a real one names its interface: eth0;239.192.1.1:5557
        "pgm://127.0.0.1;239.192.1.1:5558",  # the same without UDP
    ]


async def carry(endpoint: str) -> None:
    """Send one message over a transport."""
    async with triomq.open_context() as ctx:
        publisher = ctx.socket(triomq.PUB)
        subscriber = ctx.socket(triomq.SUB, topics=["weather"])
        await publisher.bind(endpoint)
        subscriber.connect(endpoint)
        await publisher.wait_subscribers("weather")  # in a group this returns at once: nobody knows who listens
        scheme = endpoint.partition(":")[0]
        await publisher.send([b"weather", f"rain over {scheme}".encode()])
        topic, content = await subscriber.receive()
        print(f"[{topic.decode()}] {content.decode()}", flush=True)


async def main(*given: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        for endpoint in given or endpoints(directory):
            try:
                await carry(endpoint)
            except PermissionError as exc:
                print(f"left out: {exc.strerror}", flush=True)


if __name__ == "__main__":
    trio.run(main, *sys.argv[1:])
