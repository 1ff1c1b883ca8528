"""libzmq in a group: ``multicast_peer.py PUB|SUB endpoint rate``; run by a Python whose libzmq has pgm.

It says what it has to say in lines that begin with "@": OpenPGM writes warnings to the standard output, too, and may
just be in the middle of a line.

A PUB publishes greetings until the first line comes on its standard input, "count size". Then it publishes as many
messages of two frames, and makes repairs until its standard input ends. A SUB tells of each message.
"""

from __future__ import annotations

import hashlib
import select
import sys
import time

import zmq


def say(text: str) -> None:
    sys.stdout.write(f"\n@{text}\n")
    sys.stdout.flush()


def publish(socket: zmq.Socket[bytes]) -> None:
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        socket.send(b"hello")
    count, size = map(int, sys.stdin.readline().split())
    for number in range(count):
        socket.send_multipart([b"%d" % number, bytes([number % 251]) * size])
    sys.stdin.read()


def subscribe(socket: zmq.Socket[bytes]) -> None:
    socket.subscribe(b"")
    while True:
        if socket in dict(POLLER.poll(50)):
            first, *rest = socket.recv_multipart()
            say(f"{first.decode('latin-1')} {len(rest)} {hashlib.sha256(b'|'.join(rest)).hexdigest()}")
        elif select.select([sys.stdin], [], [], 0)[0]:
            return


if not zmq.has("pgm"):
    say("no pgm")
    sys.exit()
kind, endpoint, rate = sys.argv[1:]
SOCKET = zmq.Context().socket(getattr(zmq, kind))
SOCKET.linger = 0
SOCKET.set(zmq.RATE, int(rate))
SOCKET.set(zmq.SNDHWM, 0)
SOCKET.set(zmq.RCVHWM, 0)
SOCKET.connect(endpoint)
POLLER = zmq.Poller()
POLLER.register(SOCKET, zmq.POLLIN)
say("ready")
time.sleep(0.1)
(publish if kind == "PUB" else subscribe)(SOCKET)
