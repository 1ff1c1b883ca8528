"""CURVE beside libzmq's: `python -m bench.curve`.

What is measured is the processor time of both sides together, in one process: a busy machine changes that little. The
rounds of triomq and of libzmq take turns, and the least of each counts.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Final

import trio
import zmq

import triomq

ROUNDS: Final = 5
SIZES: Final = {10: 20_000, 1000: 8000, 10_000: 4000, 100_000: 500}
"""octets of a message: messages in one round"""
HANDSHAKES: Final = 300
GOALS: Final = {"10000 B": 0.7, "handshake": 0.5}
SERVER, CLIENT = triomq.KeyPair.generate(), triomq.KeyPair.generate()
SERVING: Final = triomq.Curve.server(SERVER)
CONNECTING: Final = triomq.Curve(SERVER.public_key, CLIENT)


async def ours_messages(size: int, count: int) -> float:
    """Seconds for each message."""
    message = bytes(size)
    async with triomq.open_context() as ctx:
        pull, push = ctx.socket(triomq.PULL, mechanism=SERVING), ctx.socket(triomq.PUSH, mechanism=CONNECTING)
        push.connect(await pull.bind("tcp://127.0.0.1:0"))
        await push.wait_peers()

        async def send() -> None:
            for _ in range(count):
                await push.send(message)

        async with trio.open_nursery() as nursery:
            begun = time.process_time()
            nursery.start_soon(send)
            for _ in range(count):
                await pull.receive()
            return (time.process_time() - begun) / count


async def ours_handshakes(count: int) -> float:
    """Seconds for each connection, its socket included."""
    async with triomq.open_context() as ctx:
        pull = ctx.socket(triomq.PULL, mechanism=SERVING)
        endpoint = await pull.bind("tcp://127.0.0.1:0")
        begun = time.process_time()
        clients = [ctx.socket(triomq.PUSH, mechanism=CONNECTING, connect=endpoint) for _ in range(count)]
        await pull.wait_peers(count)
        seconds = time.process_time() - begun
        for client in clients:
            await client.aclose()
        return seconds / count


def _server(ctx: zmq.Context[Any]) -> zmq.Socket[Any]:
    pull = ctx.socket(zmq.PULL)
    pull.curve_server = 1
    pull.curve_publickey, pull.curve_secretkey = SERVER.public_text.encode(), SERVER.secret_text.encode()
    return pull


def _client(ctx: zmq.Context[Any], port: int) -> zmq.Socket[Any]:
    push = ctx.socket(zmq.PUSH)
    push.curve_serverkey = SERVER.public_text.encode()
    push.curve_publickey, push.curve_secretkey = CLIENT.public_text.encode(), CLIENT.secret_text.encode()
    push.connect(f"tcp://127.0.0.1:{port}")
    return push


def theirs_messages(size: int, count: int) -> float:
    """Seconds for each message."""
    message = bytes(size)
    with zmq.Context() as ctx, _server(ctx) as pull:
        with _client(ctx, pull.bind_to_random_port("tcp://127.0.0.1")) as push:
            push.send(message)
            pull.recv()

            def send() -> None:
                for _ in range(count):
                    push.send(message)

            sender = threading.Thread(target=send)
            begun = time.process_time()
            sender.start()
            for _ in range(count):
                pull.recv()
            seconds = time.process_time() - begun
            sender.join()
            return seconds / count


def theirs_handshakes(count: int) -> float:
    """Seconds for each connection, its socket included."""
    with zmq.Context() as ctx, _server(ctx) as pull:
        monitor = pull.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        port = pull.bind_to_random_port("tcp://127.0.0.1")
        begun = time.process_time()
        clients = [_client(ctx, port) for _ in range(count)]
        for _ in range(count):
            monitor.recv_multipart()
        seconds = time.process_time() - begun
        for client in clients:
            client.close(0)
        pull.disable_monitor()
        return seconds / count


def compare(name: str, ours: Any, theirs: Any, *arguments: int) -> None:
    """Measure both, and print one line."""
    mine, others = [], []
    for _ in range(ROUNDS):
        mine.append(trio.run(ours, *arguments))
        others.append(theirs(*arguments))
    ratio = min(others) / min(mine)
    goal = f"goal {GOALS[name]}" if name in GOALS else ""
    print(f"{name:>10}  triomq {min(mine) * 1e6:7.1f} µs  libzmq {min(others) * 1e6:7.1f} µs  {ratio:.2f} x  {goal}")


def main() -> None:
    """Measure and print everything."""
    for size, count in SIZES.items():
        compare(f"{size} B", ours_messages, theirs_messages, size, count)
    compare("handshake", ours_handshakes, theirs_handshakes, HANDSHAKES)


if __name__ == "__main__":
    main()
