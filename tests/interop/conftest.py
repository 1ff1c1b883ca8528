"""The libzmq process that the tests share, and an end to every test."""

from __future__ import annotations

import inspect
import os
import random
import socket
from collections.abc import AsyncIterator, Iterator
from functools import wraps
from typing import Any

import pytest
import trio

import triomq

from .groups import missing
from .libzmq import Peer, PeerProcess

pytest.importorskip("zmq")

MOST_SECONDS = 90.0  # of one test: after that it hangs; no claim is about seconds


def pytest_itemcollected(item: pytest.Item) -> None:
    """No test waits for ever. (A fixture could not see to it: of pytest-trio's only those in use are run.)"""
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
        test = item.obj

        @wraps(test)
        async def bounded(**arguments: Any) -> None:
            with trio.fail_after(MOST_SECONDS):
                await test(**arguments)

        item.obj = bounded


class Workshop:
    """Keeps one process of libzmq for all tests; a test that fails gets the next one a new process."""

    def __init__(self) -> None:
        self.process = PeerProcess()

    def renew(self) -> None:
        self.process.end()
        self.process = PeerProcess()


@pytest.fixture(scope="session")
def workshop() -> Iterator[Workshop]:
    workshop = Workshop()
    yield workshop
    workshop.process.end()


@pytest.fixture
async def peer(workshop: Workshop) -> AsyncIterator[Peer]:
    """The shared process, with no socket in it."""
    async with workshop.process.attached() as peer:
        yield peer
        with trio.CancelScope(shield=True):
            try:
                await peer.call("reset")
            except Exception:
                workshop.renew()
                raise


@pytest.fixture
async def ctx() -> AsyncIterator[triomq.Context]:
    async with triomq.open_context() as ctx:
        yield ctx


@pytest.fixture(params=["tcp", "ipc"])
def endpoint(request: pytest.FixtureRequest) -> str:
    """Where to bind: a free one."""
    return "tcp://127.0.0.1:*" if request.param == "tcp" else "ipc://*"


@pytest.fixture
def group() -> str:
    """A multicast group and a port that no other test uses now; skips where no libzmq here has pgm."""
    if reason := missing():
        pytest.skip(reason)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return f"239.192.{os.getpid() % 250 + 1}.{random.randrange(1, 250)}:{port}"
