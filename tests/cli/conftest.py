"""Partners for the commands: sockets of libzmq in this process."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from .shell import PATIENCE

zmq = pytest.importorskip("zmq")

OpenSocket: TypeAlias = Callable[..., "zmq.Socket[bytes]"]


@pytest.fixture(autouse=True)
def signals_work() -> Iterator[None]:
    """A test run in the background may ignore SIGINT, and its children would inherit that."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.fixture
def endpoint(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/it"


@pytest.fixture
def partner() -> Iterator[OpenSocket]:
    """Opens sockets of libzmq: ``partner("PUSH", bind=endpoint)``."""
    context = zmq.Context()
    sockets = []

    def open_socket(kind: str, *, bind: str | None = None, connect: str | None = None, **options: object):
        socket = context.socket(getattr(zmq, kind))
        sockets.append(socket)
        socket.linger = 0
        socket.rcvtimeo = socket.sndtimeo = int(PATIENCE * 1000)
        for name, value in options.items():
            setattr(socket, name, value)
        if bind:
            socket.bind(bind)
        if connect:
            socket.connect(connect)
        return socket

    yield open_socket
    for socket in sockets:
        socket.close()
    context.term()
