"""pyzmq's blocking API on libzmq: the measure of speed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import zmq

from .. import blocking, fanout
from ..job import Job
from ..works import PUBLISH_BATCH, Kind
from . import Peer

Socket: TypeAlias = "zmq.Socket[bytes]"


@contextmanager
def _bound(job: Job, *types: int) -> Iterator[tuple[Socket, ...]]:
    with zmq.Context() as context:
        sockets = tuple(context.socket(type_) for type_ in types)
        for socket in sockets:
            socket.bind("tcp://127.0.0.1:*")
        job.announce(*(socket.last_endpoint for socket in sockets))
        yield sockets
        job.wait_end()
        for socket in sockets:
            socket.close()


@contextmanager
def _connected(job: Job, type_: int) -> Iterator[Socket]:
    with zmq.Context() as context, context.socket(type_) as socket:
        socket.connect(job.endpoints[0])
        yield socket
        job.wait_end()


def pull(job: Job) -> None:
    """Receive one-frame messages."""
    with _bound(job, zmq.PULL) as (socket,):
        blocking.pull(job, socket.recv)


def push(job: Job) -> None:
    """Send one-frame messages."""
    with _connected(job, zmq.PUSH) as socket:
        blocking.push(job, socket.send)


def pull_multipart(job: Job) -> None:
    """Receive messages of several frames."""
    with _bound(job, zmq.PULL) as (socket,):
        blocking.pull(job, socket.recv_multipart)


def push_multipart(job: Job) -> None:
    """Send messages of several frames."""
    with _connected(job, zmq.PUSH) as socket:
        blocking.push(job, socket.send_multipart)


def reply(job: Job) -> None:
    """Answer each request with itself."""
    with _bound(job, zmq.REP) as (socket,):
        blocking.echo(job, socket.recv, socket.send)


def request(job: Job) -> None:
    """One request after the other."""
    with _connected(job, zmq.REQ) as socket:
        blocking.request(job, socket.send, socket.recv)


def router(job: Job) -> None:
    """Send each message back to where it came from."""
    with _bound(job, zmq.ROUTER) as (socket,):
        blocking.echo(job, socket.recv_multipart, socket.send_multipart)


def dealer(job: Job) -> None:
    """Many requests in flight."""
    with _connected(job, zmq.DEALER) as socket:
        blocking.in_flight(job, socket.send, socket.recv)


def publish(job: Job) -> None:
    """Publish from an XPUB, which is PUB that tells when the subscribers are there."""
    with _bound(job, zmq.XPUB, zmq.PULL) as (pub, acks):
        pub.setsockopt(zmq.XPUB_VERBOSE, 1)
        for _ in range(job.work.subscribers):
            pub.recv()
        blocking.publish(job, pub.send, acks.recv)


def subscribe(job: Job) -> None:
    """Poll the subscribers, and take all that each has."""
    gathering, received = fanout.Gathering(job), [0] * job.work.subscribers
    poller, numbers = zmq.Poller(), {}
    with zmq.Context() as context, context.socket(zmq.PUSH) as ack:
        ack.connect(job.endpoints[1])
        for number in range(job.work.subscribers):
            sub = context.socket(zmq.SUB)
            sub.subscribe(fanout.topic_of(number))
            sub.connect(job.endpoints[0])
            poller.register(sub, zmq.POLLIN)
            numbers[sub] = number
        left = fanout.batches(job)
        while left:
            for sub, _ in poller.poll():
                for _ in range(_drain(sub, numbers[sub], received, gathering)):
                    ack.send(b"")
                    left -= 1
        job.wait_end()
        for sub in numbers:
            sub.close()


def _drain(sub: Socket, number: int, received: list[int], gathering: fanout.Gathering) -> int:
    """Receive what is there; return how many batches are now complete for everybody."""
    complete = 0
    while True:
        try:
            message = sub.recv(zmq.NOBLOCK)
        except zmq.Again:
            return complete
        received[number] += 1
        if received[number] % PUBLISH_BATCH == 0:
            complete += gathering.finish(number, received[number] // PUBLISH_BATCH - 1, message)


def inproc(job: Job) -> None:
    """Two threads."""
    with zmq.Context() as context, context.socket(zmq.PULL) as socket:
        socket.bind("inproc://bench")

        def sender() -> None:
            with context.socket(zmq.PUSH) as push:
                push.connect("inproc://bench")
                blocking.push(job, push.send)

        thread = threading.Thread(target=sender)
        thread.start()
        blocking.pull(job, socket.recv)
        thread.join()


PEER = Peer(
    title="pyzmq, blocking",
    works={
        Kind.PUSH: (pull, push),
        Kind.MULTIPART: (pull_multipart, push_multipart),
        Kind.REQUEST: (reply, request),
        Kind.ROUTER: (router, dealer),
        Kind.PUBLISH: (publish, subscribe),
        Kind.INPROC: (inproc,),
    },
)
