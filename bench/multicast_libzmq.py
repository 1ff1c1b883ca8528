"""libzmq's side of `bench.multicast`; run by a Python whose libzmq has pgm, which need have nothing else.

``multicast_libzmq.py PUB|SUB endpoint kbit/s count octets``; what is said on which stream, see `bench.multicast`.
"""

from __future__ import annotations

import json
import select
import sys
import time

import zmq

GREETING = b"hello"


def publish(socket: zmq.Socket[bytes], count: int, size: int) -> None:
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        socket.send(GREETING)
    sys.stdin.readline()
    began = time.process_time()
    for number in range(count):
        socket.send(b"%08d" % number + bytes(size - 8))
    sys.stdin.readline()
    say(cpu=time.process_time() - began)


def subscribe(socket: zmq.Socket[bytes], count: int) -> None:
    socket.subscribe(b"")
    socket.recv()
    say(ready=True)
    received, first, last, cpu = 0, 0.0, 0.0, 0.0
    while received < count and socket.poll(5000):
        message = socket.recv()
        if message == GREETING:
            continue
        last = time.perf_counter()
        if not received:
            first, cpu = last, time.process_time()
        received += 1
        if int(message[:8]) == count - 1:
            break
    say(received=received, seconds=last - first, cpu=time.process_time() - cpu)


def say(**what: object) -> None:
    print(f"\n@{json.dumps(what)}", flush=True)  # OpenPGM writes to the same stream


kind, endpoint, rate, *numbers = sys.argv[1:]
if not zmq.has("pgm"):
    sys.exit("this libzmq has no pgm")
SOCKET = zmq.Context().socket(getattr(zmq, kind))
SOCKET.linger = 0
SOCKET.set(zmq.RATE, int(rate))
SOCKET.set(zmq.SNDHWM, 0)
SOCKET.set(zmq.RCVHWM, 0)
SOCKET.connect(endpoint)
if kind == "PUB":
    publish(SOCKET, *map(int, numbers))
else:
    subscribe(SOCKET, int(numbers[0]))
