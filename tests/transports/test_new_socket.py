"""A forked child has no copy of a socket that another thread of its parent was just making or accepting."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from triomq._transports import _new_socket
from triomq._transports._new_socket import accept, new_socket

from ..forks import in_child, open_sockets

pytestmark = pytest.mark.skipif(
    not hasattr(os, "register_at_fork") or not os.path.isdir("/proc/self/fd"),
    reason="descriptors are looked up in /proc",
)

MOMENT = 0.5  # seconds; a fork that does not wait comes long before


class Fork:
    """A thread makes something, and has made it, and has not noted it, when the process is forked."""

    def __init__(self) -> None:
        self.there = threading.Event()
        self.over = threading.Event()

    def after(self, make: Callable[..., Any]) -> Callable[..., Any]:
        def made(*arguments: Any) -> Any:
            result = make(*arguments)
            self.there.set()
            self.over.wait(MOMENT)
            return result

        return made

    def what_the_child_has(self, work: Callable[[], socket.socket]) -> bool:
        """Whether a child, forked in that moment, has the socket that ``work`` brings."""
        done: list[socket.socket] = []
        thread = threading.Thread(target=lambda: done.append(work()))
        thread.start()
        self.there.wait()
        has = set(in_child(lambda: " ".join(open_sockets())).split())
        self.over.set()
        thread.join()
        with done[0] as sock:
            return os.readlink(f"/proc/self/fd/{sock.fileno()}") in has


def test_one_that_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    fork = Fork()

    class System:
        socket = staticmethod(fork.after(socket.socket))

    System.socket.close = socket.socket.close  # type: ignore[attr-defined]
    monkeypatch.setattr(_new_socket, "socket", System)
    assert not fork.what_the_child_has(lambda: new_socket(socket.AF_INET, socket.SOCK_STREAM))


def test_one_that_is_accepted() -> None:
    fork = Fork()

    class Listening:
        def __init__(self, sock: socket.socket) -> None:
            self.accept = fork.after(sock.accept)

    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()):
        assert not fork.what_the_child_has(lambda: accept(Listening(listening))[0])  # type: ignore[arg-type]


def test_the_test_can_fail() -> None:
    """A socket that nobody notes is in the child, too."""
    fork = Fork()
    assert fork.what_the_child_has(lambda: fork.after(socket.socket)(socket.AF_INET, socket.SOCK_STREAM))
