"""The peers: one module each, with a `Peer` in it that holds small functions for each kind of work."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import attrs

from ..job import Job
from ..kinds import Kind, Work

Side: TypeAlias = Callable[[Job], Awaitable[None] | None]
"""One side of a work: it binds or connects, does its part, and returns after the harness says end."""

NAMES: tuple[str, ...] = (
    "triomq",
    "triomq-strict",
    "triomq-io",
    "triomq-polling",
    "pyzmq",
    "pyzmq-asyncio",
    "zmq-anyio",
    "pynng",
    "pyomq",
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
      works: for each kind it offers, the side that binds and the side that connects; without the neutral one.
      run: calls a side and waits for its end, as `trio.run` does.
      module: what is imported to use it; None if it has no import of its own.
      options: how it is set up, for its own functions.
      only: names of the works that it is measured at; None for all of the kinds that it offers.
    """

    title: str
    works: Mapping[Kind, tuple[Side, ...]]
    run: Callable[[Callable[[Job], Any], Job], Any] = _call
    module: str | None = None
    options: Mapping[str, Any] = attrs.field(factory=dict)
    only: frozenset[str] | None = None

    def offers(self, work: Work) -> bool:
        """Whether this work is done with it."""
        if work.kind is Kind.IMPORT:
            return self.module is not None
        return work.kind in self.works and (self.only is None or work.name in self.only)

    def side(self, kind: Kind, side: str) -> tuple[Callable[[Side, Job], Any], Side]:
        """The function of this side, and what runs it. The neutral side's function blocks."""
        if side == kind.neutral:
            module = importlib.import_module(f"..neutral.{kind.value.name}", __name__)
            neutral: Side = module.run
            return _call, neutral
        return self.run, self.works[kind][kind.sides.index(side)]


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
