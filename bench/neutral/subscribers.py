"""Subscribers that do hardly more than count octets, so that the publisher is what is measured."""

from __future__ import annotations

import selectors
import socket
from contextlib import ExitStack

from .. import fanout
from ..job import Job
from ..kinds import PUBLISH_BATCH
from . import zmtp

_MOST = 262_144
_SUBSCRIBE = b"\x01"


def run(job: Job) -> None:
    """Be all subscribers, and acknowledge their batches."""
    publisher, acks = job.endpoints
    with ExitStack() as stack:
        ack = stack.enter_context(zmtp.dial(acks, b"PUSH"))
        subscribers = []
        for number in range(job.work.subscribers):
            connection = stack.enter_context(zmtp.dial(publisher, b"SUB"))
            connection.sendall(b"".join(zmtp.frame(_SUBSCRIBE + topic) for topic in fanout.topics_of(job, number)))
            subscribers.append(connection)
        _receive(job, subscribers, ack)
        job.wait_end()


def _receive(job: Job, subscribers: list[socket.socket], ack: socket.socket) -> None:
    gathering = fanout.Gathering(job)
    share = PUBLISH_BATCH * len(zmtp.frame(bytes(job.work.size)))
    received, finished = [bytearray() for _ in subscribers], [0] * len(subscribers)
    with selectors.DefaultSelector() as selector:
        for number, connection in enumerate(subscribers):
            selector.register(connection, selectors.EVENT_READ, number)
        left = fanout.batches(job)
        while left:
            for key, _ in selector.select():
                connection, number = subscribers[key.data], key.data
                data = connection.recv(_MOST)
                if not data:
                    raise ConnectionError("the other side is gone")
                octets = received[number]
                octets += data
                while len(octets) >= share:
                    last = bytes(octets[share - job.work.size : share])
                    del octets[:share]
                    finished[number] += 1
                    if gathering.finish(number, finished[number] - 1, last):
                        ack.sendall(zmtp.frame(b""))
                        left -= 1
