"""A process with libzmq in it: takes commands as JSON lines on stdin, answers each on stdout.

Octets travel as latin-1 text. Every wait has an end; the process ends with its stdin.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import zmq
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils.monitor import recv_monitor_message

PATIENCE = 40_000  # milliseconds after which what is waited for will not come


def encoded(frames: list[bytes]) -> list[str]:
    return [frame.decode("latin-1") for frame in frames]


def decoded(frames: list[str]) -> list[bytes]:
    return [frame.encode("latin-1") for frame in frames]


def pattern(sizes: list[int]) -> list[bytes]:
    """Frames of these sizes, each filled with an octet that tells its place."""
    return [bytes((index % 251,)) * size for index, size in enumerate(sizes)]


class Peer:
    """The sockets of this process, by name; each public method is a command."""

    def __init__(self) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._sockets: dict[str, zmq.Socket[bytes]] = {}
        self._threads: list[threading.Thread] = []
        self._watched: dict[str, zmq.Socket[bytes]] = {}
        self._authenticator: ThreadAuthenticator | None = None

    def reset(self) -> None:
        """Close everything; a thread that serves sockets closes its own when the context ends."""
        for name in self._watched:
            self._sockets[name].disable_monitor()
        self._watched.clear()
        if self._authenticator is not None:
            self._authenticator.stop()
            self._authenticator = None
        for socket in self._sockets.values():
            socket.close(0)
        self._sockets.clear()
        self._context.term()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._context = zmq.Context()

    def open(self, name: str, kind: str, options: dict[str, Any]) -> None:
        socket = self._sockets[name] = self._context.socket(getattr(zmq, kind))
        socket.linger = 0
        socket.rcvtimeo = socket.sndtimeo = PATIENCE
        for option, value in options.items():
            socket.set(getattr(zmq, option.upper()), value.encode("latin-1") if isinstance(value, str) else value)

    def bind(self, name: str, endpoint: str) -> str:
        socket = self._sockets[name]
        socket.bind(endpoint)
        return socket.last_endpoint.rstrip(b"\0").decode()

    def connect(self, name: str, endpoint: str) -> None:
        self._sockets[name].connect(endpoint)

    def disconnect(self, name: str, endpoint: str) -> None:
        self._sockets[name].disconnect(endpoint)

    def close(self, name: str) -> None:
        self._sockets.pop(name).close(0)

    def set(self, name: str, option: str, value: Any) -> None:
        self._sockets[name].set(
            getattr(zmq, option.upper()), value.encode("latin-1") if isinstance(value, str) else value
        )

    def attend(self, name: str) -> None:
        """Let the socket do what it does only from within a call."""
        self._sockets[name].get(zmq.EVENTS)

    def send(self, name: str, message: list[str]) -> None:
        """Send; for a mandatory ROUTER, as soon as the peer is there."""
        deadline = time.monotonic() + PATIENCE / 1000
        while True:
            try:
                return self._sockets[name].send_multipart(decoded(message))
            except zmq.ZMQError as exc:
                if exc.errno != zmq.EHOSTUNREACH or time.monotonic() > deadline:
                    raise
                time.sleep(0.002)

    def send_once(self, name: str, message: list[str]) -> None:
        """Send, or fail at once."""
        self._sockets[name].send_multipart(decoded(message))

    def receive(self, name: str, timeout: float) -> list[str] | None:
        """The next message, or None when none comes for ``timeout`` seconds."""
        socket = self._sockets[name]
        return encoded(socket.recv_multipart()) if socket.poll(int(timeout * 1000)) else None

    def watch(self, name: str) -> None:
        """From now on, note when a connection of the socket ends."""
        self._watched[name] = self._sockets[name].get_monitor_socket(zmq.EVENT_DISCONNECTED)

    def until_disconnected(self, name: str) -> None:
        """Wait until a connection has ended, since `watch` or since the last time."""
        assert self._watched[name].poll(PATIENCE), "no connection ended"
        self._watched[name].recv_multipart()

    def watch_refusals(self, name: str) -> None:
        """From now on, note when a connection of the socket is refused."""
        self._watched[name] = self._sockets[name].get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH)

    def until_refused(self, name: str) -> int:
        """Wait for a refusal; the status in it."""
        assert self._watched[name].poll(PATIENCE), "nobody refused"
        return recv_monitor_message(self._watched[name])["value"]

    def authenticate(self, users: dict[str, str], keys: list[str]) -> None:
        """From now on, let pyzmq's authenticator answer: only these users, and these public keys, may come in."""
        allowed = {key.encode() for key in keys}

        class Keys:
            def callback(self, domain: str, key: bytes) -> bool:
                return key in allowed

        authenticator = self._authenticator = ThreadAuthenticator(self._context)
        authenticator.start()
        authenticator.configure_plain(domain="*", passwords=users)
        authenticator.configure_curve_callback(domain="*", credentials_provider=Keys())

    def until_alone(self, name: str) -> None:
        """Wait until a bound socket that sends to any peer has taken notice that its only one has left.

        It takes notice only while it is called; and in two steps, of which only the first shows.
        """
        socket = self._sockets[name]
        deadline = time.monotonic() + PATIENCE / 1000
        while socket.get(zmq.EVENTS) & zmq.POLLOUT:
            assert time.monotonic() < deadline, "the peer is still there"
            time.sleep(0.002)
        for _ in range(10):
            time.sleep(0.002)
            socket.get(zmq.EVENTS)

    def receive_shared(self, names: list[str], count: int) -> list[list[list[str]]]:
        """That many messages in all, in whichever of the sockets they arrive; for each what it got."""
        got: list[list[list[str]]] = [[] for _ in names]
        poller = zmq.Poller()
        for name in names:
            poller.register(self._sockets[name], zmq.POLLIN)
        while sum(map(len, got)) < count:
            ready = dict(poller.poll(PATIENCE))
            assert ready, f"only {sum(map(len, got))} of {count} arrived"
            for messages, name in zip(got, names, strict=True):
                if self._sockets[name] in ready:
                    messages.append(encoded(self._sockets[name].recv_multipart()))
        return got

    def send_sized(self, name: str, number: int, size: int) -> None:
        """Send a number and a frame of that size."""
        self._sockets[name].send_multipart([b"%d" % number, bytes(size)])

    def receive_prefix(self, name: str) -> str:
        """The first frame of the next message."""
        return self._sockets[name].recv_multipart()[0].decode("latin-1")

    def receive_prefixes(self, name: str, count: int) -> list[str]:
        """The first frames of as many messages."""
        return [self.receive_prefix(name) for _ in range(count)]

    def send_sizes(self, name: str, sizes: list[int]) -> None:
        """Send one message whose frames have these sizes."""
        self._sockets[name].send_multipart(pattern(sizes), copy=False)

    def receive_sizes(self, name: str, sizes: list[int]) -> bool:
        """Receive one message; whether it is the one that `send_sizes` makes."""
        return self._sockets[name].recv_multipart() == pattern(sizes)

    def send_numbers(self, name: str, start: int, stop: int, envelope: list[str]) -> None:
        """Send the numbers, each in a message of its own behind the envelope."""
        socket, before = self._sockets[name], decoded(envelope)
        self._send_when_known(socket, [*before, b"%d" % start])
        for number in range(start + 1, stop):
            socket.send_multipart([*before, b"%d" % number])

    @staticmethod
    def _send_when_known(socket: Any, message: list[bytes]) -> None:
        """Send as soon as a ROUTER knows the peer: the peer may know of the connection before."""
        while True:
            try:
                socket.send_multipart(message)
                return
            except zmq.ZMQError as exc:
                if exc.errno != zmq.EHOSTUNREACH:
                    raise
                time.sleep(0.01)

    def receive_numbers(self, name: str, start: int, stop: int, envelope: list[str]) -> bool:
        """Receive as many messages; whether they are those of `send_numbers`, in order."""
        socket, before = self._sockets[name], decoded(envelope)
        return all([socket.recv_multipart() == [*before, b"%d" % number] for number in range(start, stop)])

    def echo(self, name: str) -> None:
        """From now on, send every message back as it came."""
        socket = self._sockets.pop(name)

        def work() -> None:
            while True:
                socket.send_multipart(socket.recv_multipart())

        socket.rcvtimeo = -1
        self._in_thread(work, [socket])

    def proxy(self, frontend: str, backend: str) -> None:
        """From now on, run libzmq's own proxy between two sockets."""
        sockets = [self._sockets.pop(frontend), self._sockets.pop(backend)]
        self._in_thread(lambda: zmq.proxy(*sockets), sockets)

    def broker(self, frontend: str, backend: str) -> None:
        """From now on, give each request of a client to the worker that has been idle for longest.

        Both sockets are ROUTERs. Like many programs it takes for granted that a REQ writes a delimiter and no more.
        """
        sockets = clients, workers = self._sockets.pop(frontend), self._sockets.pop(backend)
        idle: list[bytes] = []

        def work() -> None:
            while True:
                if workers.poll(1):
                    worker, empty, client, *reply = workers.recv_multipart()
                    assert empty == b""
                    idle.append(worker)
                    if reply:
                        clients.send_multipart([client, *reply])
                if idle and clients.poll(1):
                    client, empty, request = clients.recv_multipart()
                    assert empty == b""
                    workers.send_multipart([idle.pop(0), b"", client, b"", request])

        for socket in sockets:
            socket.rcvtimeo = -1
        self._in_thread(work, list(sockets))

    def worker(self, name: str, delays: list[float]) -> None:
        """From now on, let a REQ work for a `broker`: each reply takes its time in seconds, in turn."""
        socket = self._sockets.pop(name)

        def work() -> None:
            socket.send(b"READY")
            for delay in itertools.cycle(delays):
                client, empty, request = socket.recv_multipart()
                time.sleep(delay)
                socket.send_multipart([client, empty, request])

        socket.rcvtimeo = -1
        self._in_thread(work, [socket])

    def _in_thread(self, work: Callable[[], None], sockets: list[zmq.Socket[bytes]]) -> None:
        def run() -> None:
            try:
                work()
            except zmq.ContextTerminated:
                pass
            finally:
                for socket in sockets:
                    socket.close(0)

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()


def main() -> None:
    peer = Peer()
    for line in sys.stdin:
        serial, command, arguments = json.loads(line)
        answer: dict[str, Any] = {"serial": serial}
        try:
            answer["result"] = getattr(peer, command)(**arguments)
        except Exception as exc:  # the test's to see
            answer["error"] = f"{type(exc).__name__}: {exc}"
        print(json.dumps(answer), flush=True)
    os._exit(0)  # whatever the threads are doing


if __name__ == "__main__":
    main()
