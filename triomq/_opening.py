"""Who opens a context: `open_context` itself, or somebody in its place."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Protocol, TypedDict, Unpack, cast

from . import _connections
from ._connections import Carrier
from ._runtime import Bounds
from ._transports import Transport

if TYPE_CHECKING:
    from ._context import Context


class Limits(TypedDict, total=False):
    """The keyword arguments of `open_context` that an opener gets only if they are given.

    They bound what a context may have, but for two: ``inproc``, the names that it shares, and ``io_thread``.
    """

    max_sockets: float
    max_peers: float
    max_queued_bytes: float
    inproc: _connections.SharedNames
    io_thread: bool


class Opener(Protocol):
    """What `opening_contexts` takes: a function with the arguments of `open_context`, and its result.

    Of the limits, such as ``max_sockets``, it gets those that are given; and ``inproc`` and ``io_thread`` likewise.
    """

    def __call__(
        self,
        *,
        strict_checkpoints: bool,
        transports: Mapping[str, Transport | Carrier] | None,
        rng: random.Random | None,
        **limits: Unpack[Limits],
    ) -> AbstractAsyncContextManager[Context]:
        """Make the block of ``async with open_context()``."""


_opener: Final[ContextVar[Opener | None]] = ContextVar("triomq opener of contexts", default=None)


@contextmanager
def opening_contexts(opener: Opener | None) -> Iterator[None]:
    """In this block, let `open_context` return what ``opener`` returns for the same arguments.

    So a program that opens its own context, and must not be changed, gets transports of yours: that is how
    `triomq.testing` puts programs on virtual hosts. This is a context variable: it holds for this task and for the
    tasks that are started in the block, as long as they live, and for no other task.

    Args:
      opener: opens the context, for which it calls `open_context` in a block of ``opening_contexts(None)``. None: a
        context is opened as it always is, whatever a block around this one says.
    """
    token = _opener.set(opener)
    try:
        yield
    finally:
        _opener.reset(token)


def current_opener() -> Opener | None:
    """Who opens contexts here in place of `open_context`."""
    return _opener.get()


def given_arguments(bounds: Bounds, names: _connections.SharedNames | None, *, io_thread: bool) -> Limits:
    """Those limits that limit something; the names, if there are any; and the thread, if there is to be one."""
    limits = Limits(
        max_sockets=bounds.max_sockets, max_peers=bounds.max_peers, max_queued_bytes=bounds.max_queued_bytes
    )
    given: dict[str, Any] = {name: limit for name, limit in limits.items() if limit != math.inf}
    if names is not None:
        given["inproc"] = names
    if io_thread:
        given["io_thread"] = True
    return cast("Limits", given)
