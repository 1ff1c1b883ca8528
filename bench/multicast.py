"""triomq beside libzmq in a multicast group, at a rate that both ends are set to: ``python -m bench.multicast``.

Four pairs, as each of the two publishes and subscribes; over ``epgm`` on the loopback interface, one process each. A
figure is of the receiver, from the first message to the last. The wheels of pyzmq have no pgm, so libzmq is that of
``--python``, Debian's by default (``apt install python3-zmq``).

The processes talk in lines. A SUB says ``ready`` at the first greeting. Then a line on its standard input lets the PUB
publish, and another one lets it end.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

import triomq

PATIENCE = 60  # seconds
GREETING = b"hello"
LIBZMQ = Path(__file__).with_name("multicast_libzmq.py")


@attrs.frozen(kw_only=True)
class Measurement:
    """What one pair did.

    Attributes:
      received: messages.
      seconds: from the first message to the last, at the receiver.
      publisher_cpu, subscriber_cpu: seconds of the processor.
    """

    received: int
    seconds: float
    publisher_cpu: float
    subscriber_cpu: float


# --- our side ------------------------------------------------------------------------------------


async def publish(socket: triomq.PUB, count: int, size: int) -> None:
    """Greet until a line comes; then publish."""
    lines = trio.wrap_file(sys.stdin)
    async with trio.open_nursery() as nursery:

        async def greet() -> None:
            while True:
                await socket.send(GREETING)
                await trio.sleep(0.02)

        nursery.start_soon(greet)
        await lines.readline()
        nursery.cancel_scope.cancel()
    began = time.process_time()
    for number in range(count):
        await socket.send(b"%08d" % number + bytes(size - 8))
    await lines.readline()
    say(cpu=time.process_time() - began)


async def subscribe(socket: triomq.SUB, count: int) -> None:
    """Receive, until the last message or a silence."""
    await socket.receive()
    say(ready=True)
    received, first, last, cpu = 0, 0.0, 0.0, 0.0
    while received < count:
        with trio.move_on_after(5) as silence:
            message = bytes(await socket.receive())
        if silence.cancelled_caught:
            break
        if message == GREETING:
            continue
        last = time.perf_counter()
        if not received:
            first, cpu = last, time.process_time()
        received += 1
        if int(message[:8]) == count - 1:
            break
    say(received=received, seconds=last - first, cpu=time.process_time() - cpu)


async def take_part(kind: str, endpoint: str, rate: int, count: int, size: int) -> None:
    """Be one side."""
    async with triomq.open_context() as ctx:
        if kind == "PUB":
            publisher = ctx.socket(triomq.PUB, send_hwm=0, rate=rate * 125, linger=0)
            publisher.connect(endpoint)
            await publish(publisher, count, size)
        else:
            subscriber = ctx.socket(triomq.SUB, topics=[""], receive_hwm=0, rate=rate * 125)
            subscriber.connect(endpoint)
            await subscribe(subscriber, count)


def say(**what: object) -> None:
    """Tell the process that measures."""
    print(f"\n@{json.dumps(what)}", flush=True)


# --- who measures --------------------------------------------------------------------------------


@contextmanager
def side(command: list[str], *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A process that takes part; it ends with the block."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, *map(str, arguments)], stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def heard(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a process says next."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("@"):
            said: dict[str, Any] = json.loads(line[1:])
            return said
    raise SystemExit("a process has ended before it was done")


def tell(process: subprocess.Popen[str]) -> None:
    """Let a publisher go on."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def measure(publisher: list[str], subscriber: list[str], endpoint: str, *numbers: int) -> Measurement:
    """Let one pair run."""
    with side(subscriber, "SUB", endpoint, *numbers) as sub, side(publisher, "PUB", endpoint, *numbers) as pub:
        heard(sub)
        tell(pub)
        got = heard(sub)
        tell(pub)
        return Measurement(
            received=got["received"], seconds=got["seconds"], publisher_cpu=heard(pub)["cpu"], subscriber_cpu=got["cpu"]
        )


def row(names: tuple[str, str], found: Measurement, count: int, size: int) -> str:
    """One line of the table."""
    rate = found.received / found.seconds if found.seconds else math.nan
    cpu = [seconds / max(found.received, 1) * 1e6 for seconds in (found.publisher_cpu, found.subscriber_cpu)]
    return (
        f"{names[0]:<7} → {names[1]:<7} {found.received:>8} of {count:<8} {rate:>9,.0f} {rate * size * 8 / 1e6:>8.1f}"
        f"   {cpu[0]:>6.1f} + {cpu[1]:.1f}"
    )


def main() -> None:
    """Measure all pairs."""
    parser = argparse.ArgumentParser(prog="bench.multicast", description="triomq beside libzmq in a multicast group")
    parser.add_argument("--rate", type=int, default=100_000, help="kbit/s of all datagrams (default: %(default)s)")
    parser.add_argument("--count", type=int, default=25_000, help="messages (default: %(default)s)")
    parser.add_argument("--size", type=int, default=1000, help="octets of a message (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--python", default="/usr/bin/python3", help="whose libzmq has pgm (default: %(default)s)")
    chosen = parser.parse_args()
    peers = {"triomq": [sys.executable, "-m", "bench.multicast"], "libzmq": [chosen.python, str(LIBZMQ)]}
    print(f"{chosen.size} octets at {chosen.rate} kbit/s; Mbit/s is of messages, CPU µs of a message: PUB + SUB")
    print(f"{'':<17} {'received':>20} {'msg/s':>9} {'Mbit/s':>8}   CPU µs")
    port = 20_000 + os.getpid() % 10_000
    for round_number in range(chosen.rounds):
        for names in [(pub, sub) for pub in peers for sub in peers]:
            port += 1  # what is late of the pair before reaches nobody
            endpoint = f"epgm://127.0.0.1;239.192.{round_number + 1}.1:{port}"
            found = measure(peers[names[0]], peers[names[1]], endpoint, chosen.rate, chosen.count, chosen.size)
            print(row(names, found, chosen.count, chosen.size), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] in (["PUB"], ["SUB"]):
        trio.run(take_part, sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
    else:
        main()
