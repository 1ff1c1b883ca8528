"""The peers: one module each, with a `Peer` in it that holds a pair of small functions for each kind of work."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import attrs

from ..job import Job
from ..works import Kind

Side: TypeAlias = Callable[[Job], Awaitable[None] | None]
"""One side of a work: it binds or connects, does its part, and returns after the harness says end."""

NAMES: tuple[str, ...] = (
    "triomq",
    "pyzmq",
    "pyzmq-asyncio",
    "zmq-anyio",
    "pynng",
    "trio-stream",
    "trio-channel",
    "sockets",
)


def _call(side: Callable[[Job], Any], job: Job) -> Any:
    return side(job)


@attrs.frozen(kw_only=True)
class Peer:
    """One way to send messages.

    Attributes:
      title: how it is used here.
      works: for each kind it offers, the side that binds and the side that connects.
      run: calls a side and waits for its end, as `trio.run` does.
    """

    title: str
    works: Mapping[Kind, tuple[Side, ...]]
    run: Callable[[Callable[[Job], Any], Job], Any] = _call


def load(name: str) -> Peer:
    """Import the peer of this name.

    Raises:
      ValueError: there is no such peer.
      ImportError: the library behind it is not installed.
    """
    if name not in NAMES:
        raise ValueError(f"no peer {name!r}; there are {', '.join(NAMES)}")
    module = importlib.import_module(f".{name.replace('-', '_')}", __name__)
    peer: Peer = module.PEER
    return peer
