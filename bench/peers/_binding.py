"""What libzmq's Python binding and those that copy its blocking API have in common."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any, TypeAlias

from .. import blocking, computing, fanout, keys
from ..job import Job
from ..kinds import PUBLISH_BATCH, Kind
from . import Side

Socket: TypeAlias = Any

_BACKLOG = 4096
"""Connections that are not accepted yet; libzmq's usual 100 would make some wait for a second."""


def _bind(socket: Socket) -> Any:
    socket.bind("tcp://127.0.0.1:*")
    return socket.last_endpoint


class Binding:
    """The functions of a peer, for a module that is, or looks like, ``zmq``."""

    def __init__(self, zmq: Any) -> None:
        self._zmq = zmq

    def works(self) -> dict[Kind, tuple[Side, ...]]:
        """All kinds of work that the API offers."""
        publish = (self.publish, self.subscribe)
        return {
            Kind.PUSH: (self.pull, self.push),
            Kind.MULTIPART: (self.pull_multipart, self.push_multipart),
            Kind.REQUEST: (self.reply, self.request),
            Kind.ROUTER: (self.router, self.dealer),
            Kind.PUBLISH: publish,
            Kind.SUBSCRIPTIONS: publish,
            Kind.FANOUT: (self.publish,),
            Kind.INPROC: (self.inproc,),
            Kind.THREADS: (self.inproc,),
            Kind.THREADS_REQUEST: (self.threads_request,),
            Kind.PROXY: (self.proxy,),
            Kind.CROWD: (self.router,),
            Kind.MEMORY: (self.idle,),
            Kind.LATENCY: (self.router,),
            Kind.HANDSHAKES: (self.meet, self.introduce),
            Kind.BUSY: (self.compute,),
        }

    def _secure(self, job: Job, socket: Socket) -> None:
        """Let a socket use CURVE, if the work is to be secure."""
        if not job.work.secure:
            return
        own = keys.CLIENT if job.endpoints else keys.SERVER
        socket.curve_publickey, socket.curve_secretkey = (key.encode() for key in own)
        if job.endpoints:
            socket.curve_serverkey = keys.SERVER[0].encode()
        else:
            socket.curve_server = 1

    @contextmanager
    def _bound(self, job: Job, *types: int) -> Iterator[tuple[Socket, ...]]:
        with self._zmq.Context() as context:
            sockets = tuple(context.socket(type_) for type_ in types)
            for socket, type_ in zip(sockets, types, strict=True):
                if type_ == self._zmq.XPUB:
                    socket.setsockopt(self._zmq.XPUB_VERBOSE, 1)
                    # libzmq learns late what was read: after half the HWM, and then up to 1 ms.
                    socket.setsockopt(self._zmq.SNDHWM, 100_000)
                self._secure(job, socket)
            job.announce(*(_bind(socket) for socket in sockets for _ in range(job.work.connections)))
            yield sockets
            job.wait_end()
            for socket in sockets:
                socket.close()

    def compute(self, job: Job) -> None:
        """Compute, slice after slice."""
        with self._bound(job, self._zmq.PULL):
            while not computing.has_ended():
                computing.compute()

    @contextmanager
    def _connected(self, job: Job, type_: int) -> Iterator[Socket]:
        with self._zmq.Context() as context, context.socket(type_) as socket:
            self._secure(job, socket)
            for endpoint in job.endpoints:
                socket.connect(endpoint)
            yield socket
            job.wait_end()

    def pull(self, job: Job) -> None:
        """Receive one-frame messages."""
        with self._bound(job, self._zmq.PULL) as (socket,):
            blocking.pull(job, socket.recv)

    def push(self, job: Job) -> None:
        """Send one-frame messages."""
        with self._connected(job, self._zmq.PUSH) as socket:
            blocking.push(job, socket.send)

    def pull_multipart(self, job: Job) -> None:
        """Receive messages of several frames."""
        with self._bound(job, self._zmq.PULL) as (socket,):
            blocking.pull(job, socket.recv_multipart)

    def push_multipart(self, job: Job) -> None:
        """Send messages of several frames."""
        with self._connected(job, self._zmq.PUSH) as socket:
            blocking.push(job, socket.send_multipart)

    def reply(self, job: Job) -> None:
        """Answer each request with itself."""
        with self._bound(job, self._zmq.REP) as (socket,):
            blocking.echo(job, socket.recv, socket.send)

    def request(self, job: Job) -> None:
        """One request after the other."""
        with self._connected(job, self._zmq.REQ) as socket:
            blocking.request(job, socket.send, socket.recv)

    def router(self, job: Job) -> None:
        """Send each message back to where it came from."""
        with self._bound(job, self._zmq.ROUTER) as (socket,):
            blocking.echo(job, socket.recv_multipart, socket.send_multipart)

    def dealer(self, job: Job) -> None:
        """Many requests in flight."""
        with self._connected(job, self._zmq.DEALER) as socket:
            blocking.in_flight(job, socket.send, socket.recv)

    def publish(self, job: Job) -> None:
        """Publish from an XPUB, which is PUB that tells when the subscribers are there."""
        with self._bound(job, self._zmq.XPUB, self._zmq.PULL) as (pub, acks):
            for _ in range(fanout.subscriptions(job)):
                pub.recv()
            blocking.publish(job, pub.send, acks.recv)

    def subscribe(self, job: Job) -> None:
        """Take a subscriber's whole share of a batch, then the next one's: that needs no polling."""
        gathering = fanout.Gathering(job)
        with self._zmq.Context() as context, context.socket(self._zmq.PUSH) as ack:
            ack.connect(job.endpoints[1])
            subs = [context.socket(self._zmq.SUB) for _ in range(job.work.subscribers)]
            for number, sub in enumerate(subs):
                sub.setsockopt(self._zmq.SNDHWM, 200_000)  # libzmq drops the subscriptions that exceed it
                for topic in fanout.topics_of(job, number):
                    sub.setsockopt(self._zmq.SUBSCRIBE, topic)
                sub.connect(job.endpoints[0])
            for batch in range(fanout.batches(job)):
                for number, sub in enumerate(subs):
                    for _ in range(PUBLISH_BATCH - 1):
                        sub.recv()
                    if gathering.finish(number, batch, sub.recv()):
                        ack.send(b"")
            job.wait_end()
            for sub in subs:
                sub.close()

    def inproc(self, job: Job) -> None:
        """Two threads."""
        with self._zmq.Context() as context, context.socket(self._zmq.PULL) as socket:
            socket.bind("inproc://bench")

            def sender() -> None:
                with context.socket(self._zmq.PUSH) as push:
                    push.connect("inproc://bench")
                    blocking.push(job, push.send)

            thread = threading.Thread(target=sender)
            thread.start()
            blocking.pull(job, socket.recv)
            thread.join()

    def threads_request(self, job: Job) -> None:
        """Two threads, one of which answers."""
        with self._zmq.Context() as context, context.socket(self._zmq.PAIR) as socket:
            socket.bind("inproc://bench")

            def answer() -> None:
                with context.socket(self._zmq.PAIR) as pair:
                    pair.connect("inproc://bench")
                    blocking.echo(job, pair.recv, pair.send)

            thread = threading.Thread(target=answer)
            thread.start()
            blocking.request(job, socket.send, socket.recv)
            thread.join()

    def meet(self, job: Job) -> None:
        """Be there for those that connect."""
        with self._zmq.Context() as context, context.socket(self._zmq.PULL) as socket:
            self._secure(job, socket)
            socket.backlog = _BACKLOG
            job.announce(_bind(socket))
            job.start_clock(with_warm_up=True)
            job.wait_end()

    def introduce(self, job: Job) -> None:
        """Connect many sockets at once, and wait for all."""
        sockets: list[Socket] = []

        def connect(number: int) -> None:
            made = [context.socket(self._zmq.PUSH) for _ in range(number)]
            for socket in made:
                self._secure(job, socket)
                socket.immediate = 1  # so that it can be written to after the handshake, not before
                socket.connect(job.endpoints[0])
            for socket in made:
                socket.poll(flags=self._zmq.POLLOUT)
            sockets.extend(made)

        with self._zmq.Context() as context:
            context.set(self._zmq.MAX_SOCKETS, job.total + 1)
            connect(job.warm)
            start = job.start_clock()
            connect(job.count)
            job.report(perf_counter() - start)
            job.wait_end()
            for socket in sockets:
                socket.close()

    def idle(self, job: Job) -> None:
        """Be there for connections that do nothing."""
        with self._bound(job, self._zmq.ROUTER):
            pass

    def proxy(self, job: Job) -> None:
        """The library's own proxy, in a thread: it ends with the context."""
        context = self._zmq.Context()
        frontend, backend = context.socket(self._zmq.ROUTER), context.socket(self._zmq.DEALER)
        for socket in (frontend, backend):
            socket.bind("tcp://127.0.0.1:*")

        def forward() -> None:
            with frontend, backend:
                try:
                    self._zmq.proxy(frontend, backend)
                except self._zmq.ContextTerminated:
                    pass  # this is how it ends

        thread = threading.Thread(target=forward)
        job.announce(frontend.last_endpoint, backend.last_endpoint)
        job.start_clock(with_warm_up=True)
        thread.start()
        job.wait_end()
        job.stop_clock()
        context.term()
        thread.join()
