"""Real connections over loopback tcp, to anchor the arithmetic of docs/explanation/scale.md.

One process publishes, another has all the subscribers. What is measured: memory and time of a connection, the time of
a delivery beside that of a message to a single subscriber, and how everybody comes back when the publisher has
unbound and bound again. It is no test: what it says depends on the machine.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import trio

import triomq

from .fleet import most_at_once

ROOT = Path(__file__).parents[2]
PORTS = 28_000  # connections to one port of one address: as many as the system has ports to connect from


def add_command(commands: Any) -> None:
    """Add what this module can do to a command line."""
    command = commands.add_parser("loopback", help="measure real connections over loopback tcp")
    command.add_argument("--peers", type=int, default=2000, help="subscribers in the other process (%(default)s)")
    command.add_argument("--messages", type=int, default=100, help="messages to them all (%(default)s)")
    command.add_argument("--backlog", type=int, default=100, help="of the publisher (%(default)s, the default option)")
    command.add_argument("--down", type=float, nargs="+", default=[0.0, 1.0, 5.0], help="seconds without a publisher")
    command.set_defaults(run=_measure)
    command = commands.add_parser("loopback-subscribers")  # the other process
    command.add_argument("endpoint")
    command.add_argument("peers", type=int)
    command.add_argument("topics", type=int)
    command.set_defaults(
        run=lambda arguments: trio.run(_subscribe, arguments.endpoint, arguments.peers, arguments.topics)
    )


async def _subscribe(endpoint: str, count: int, topics_each: int) -> int:
    """Have so many subscribers until the standard input ends, then print what they cost."""
    _allow_files(count)
    topics = [b"topic/%d/events" % number for number in range(topics_each)] or [b""]
    async with triomq.open_context() as ctx:
        subs = [ctx.socket(triomq.SUB, topics=topics, receive_hwm=0, linger=0) for _ in range(count)]
        for sub in subs:
            sub.connect(endpoint)
        await trio.to_thread.run_sync(sys.stdin.read)
        received: list[int] = []
        while (now := [sub.statistics().messages_received for sub in subs]) != received:  # there may be more on the way
            received = now
            await trio.sleep(1)
    print(json.dumps({"cpu": time.process_time(), "received": sum(received), "least": min(received)}))
    return 0


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 100
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise SystemExit(f"{count} connections take {wanted} files, and this system allows {hard}: use --peers")
    if soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


@attrs.define
class _Measure:
    """Seconds, and seconds of the processor, since it was made."""

    _time: float = attrs.field(factory=trio.current_time)
    _cpu: float = attrs.field(factory=time.process_time)

    def read(self) -> tuple[float, float]:
        return trio.current_time() - self._time, time.process_time() - self._cpu


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _measure(arguments: argparse.Namespace) -> int:
    if not 0 < arguments.peers <= PORTS:
        raise SystemExit(f"--peers={arguments.peers}: from 1 to {PORTS}")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:  # a fresh process, with fresh memory
        for what in _one_subscriber, _many_topics, _heartbeats, _many:
            pool.submit(trio.run, what, arguments).result()
    return 0


async def _one_subscriber(_: argparse.Namespace, messages: int = 20_000) -> None:
    async with triomq.open_context() as ctx:
        pub = ctx.socket(triomq.PUB, send_hwm=0, linger=0)
        endpoint = await pub.bind("tcp://127.0.0.1:0")
        async with _subscribers(endpoint, 1) as report:
            await pub.wait_subscribers(b"", 1)
            _, cpu = await _publish(pub, messages)
            print(
                f"one subscriber:   {1e6 * cpu / messages:6.2f} µs of the publisher's processor for a message of 10 B"
            )
        assert report["received"] == messages


async def _many_topics(_: argparse.Namespace, topics: int = 100_000) -> None:
    """As a proxy that comes back to its publisher, with all that its own subscribers have asked for."""
    async with triomq.open_context() as ctx:
        pub = ctx.socket(triomq.PUB)
        endpoint = await pub.bind("tcp://127.0.0.1:0")
        resident = _resident()
        async with _subscribers(endpoint, 1, topics):
            await pub.wait_subscribers(b"topic/0/events", 1)
            measure = _Measure()
            with trio.fail_after(60):
                await pub.wait_subscribers(b"topic/%d/events" % (topics - 1), 1)
            seconds, cpu = measure.read()
            memory = (_resident() - resident) / topics
    print(f"{topics} topics:    {1e6 * cpu / topics:6.2f} µs and {memory:.0f} octets for each, {seconds:.2f} s in all")


async def _heartbeats(arguments: argparse.Namespace, interval: float = 1.0, rounds: int = 5) -> None:
    count = arguments.peers
    _allow_files(count)
    async with triomq.open_context() as ctx:
        pub = ctx.socket(triomq.PUB, backlog=count, max_handshakes=count, heartbeat_interval=interval, linger=0)
        endpoint = await pub.bind("tcp://127.0.0.1:0")
        async with _subscribers(endpoint, count):
            await pub.wait_subscribers(b"", count)
            measure = _Measure()
            await trio.sleep(rounds * interval)
            _, cpu = measure.read()
    print(f"heartbeats:       {1e6 * cpu / rounds / count:6.1f} µs of the asking processor for a PING and its PONG")


async def _many(arguments: argparse.Namespace) -> None:
    count = arguments.peers
    _allow_files(count)
    async with triomq.open_context() as ctx:
        pub = ctx.socket(triomq.PUB, send_hwm=0, linger=0, backlog=arguments.backlog, max_handshakes=count)
        monitor = pub.monitor(size=5 * count)
        endpoint = await pub.bind("tcp://127.0.0.1:0")
        resident = _resident()
        async with _subscribers(endpoint, count) as report:
            measure = _Measure()
            with trio.fail_after(120):
                first = await _wait_first(monitor)
                await pub.wait_subscribers(b"", count)
            seconds, cpu = trio.current_time() - first, measure.read()[1]
            memory = (_resident() - resident) / count / 1024
            print(f"{count} connect:     {1e6 * cpu / count:6.0f} µs, {memory:.1f} KiB each; {seconds:.2f} s in all")
            seconds, cpu = await _publish(pub, arguments.messages)
            deliveries = count * arguments.messages
            print(f"{count} subscribers: {1e6 * cpu / deliveries:5.2f} µs for a delivery, {deliveries / seconds:.0f}/s")
            for down in arguments.down:
                await _restart(pub, monitor, endpoint, count, down)
        assert report["least"] == arguments.messages, report
        print(f"the subscribers:  {report['cpu']:6.1f} s of their processor in all")


async def _wait_first(monitor: triomq.Monitor) -> float:
    while not isinstance(await monitor.receive(), triomq.HandshakeSucceeded):
        pass
    return trio.current_time()


async def _publish(pub: triomq.PUB, messages: int) -> tuple[float, float]:
    measure = _Measure()
    for _ in range(messages):
        await pub.send(b"ten octets")
    while any(peer.send_queue for peer in pub.statistics().peers):  # noqa: ASYNC110  (nothing tells it)
        await trio.sleep(0.01)
    return measure.read()


async def _restart(pub: triomq.PUB, monitor: triomq.Monitor, endpoint: str, count: int, down: float) -> None:
    """Unbind, be away, bind, and count who comes when."""
    await pub.unbind(endpoint)
    await trio.sleep(down)
    _forget(monitor)
    bound = trio.current_time()
    measure = _Measure()
    await pub.bind(endpoint)
    times: list[float] = []
    failed = 0
    with trio.move_on_after(120):
        while len(times) - failed < count:
            event = await monitor.receive()
            if isinstance(event, triomq.HandshakeSucceeded):
                times.append(trio.current_time() - bound)
            failed += isinstance(event, triomq.Disconnected)
    await pub.wait_subscribers(b"", count)
    _, cpu = measure.read()
    half, nearly = (sorted(times)[int(len(times) * part) - 1] for part in (0.5, 0.99))
    print(
        f"away for {down:4.1f} s:   {1e6 * cpu / count:6.0f} µs for each; half are back after {half:.2f} s, 99 % after "
        f"{nearly:.2f} s, all after {max(times):.2f} s; {10 * most_at_once(times, 0.1)}/s in the worst 0.1 s"
    )


def _forget(monitor: triomq.Monitor) -> None:
    while True:
        try:
            monitor.receive_nowait()
        except trio.WouldBlock:
            return


class _subscribers:
    """The other process, with so many subscribers; what it reports is there when the block is left."""

    def __init__(self, endpoint: str, count: int, topics_each: int = 0) -> None:
        command = [sys.executable, "-m", "tests.scale", "loopback-subscribers", endpoint, str(count), str(topics_each)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._report: dict[str, Any] = {}

    async def __aenter__(self) -> dict[str, Any]:
        return self._report

    async def __aexit__(self, *_: object) -> None:
        with trio.CancelScope(shield=True):  # it ends by itself as soon as its standard input does
            output, _ = await trio.to_thread.run_sync(self._process.communicate)
        self._report |= json.loads(output or b"{}")
