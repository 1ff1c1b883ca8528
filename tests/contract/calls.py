"""Every public call of a socket, with arguments that suit it."""

from __future__ import annotations

from typing import Any

import pytest

import triomq

from ..cancellation.kit import SCHEMES

SENDS = {"REQ", "REP", "DEALER", "ROUTER", "PUB", "XPUB", "XSUB", "PUSH", "PAIR"}
RECEIVES = {"REQ", "REP", "DEALER", "ROUTER", "SUB", "XPUB", "XSUB", "PULL", "PAIR"}
TYPES = [getattr(triomq, name) for name in sorted(SENDS | RECEIVES)]
every_type = pytest.mark.parametrize("socket_type", TYPES, ids=lambda one: one.__name__)
every_scheme = pytest.mark.parametrize("scheme", SCHEMES)

MESSAGE = triomq.Message([b"name", b"", b"it"])

# Every public call of a socket that exists on some type, with arguments that suit it.
ASYNC_CALLS: dict[str, tuple[Any, ...]] = {
    "send": (MESSAGE,),
    "send_many": ([MESSAGE],),
    "receive": (),
    "receive_many": (3,),
    "bind": ("inproc://other",),
    "unbind": ("inproc://it",),
    "flush": (),
    "wait_subscribed": (),
    "wait_peers": (),
    "wait_subscribers": (b"",),
    "request": (b"it",),
    "__anext__": (),
}
SYNC_CALLS: dict[str, tuple[Any, ...]] = {
    "send_nowait": (MESSAGE,),
    "receive_nowait": (),
    "connect": ("inproc://it",),
    "disconnect": ("inproc://it",),
    "subscribe": (b"",),
    "unsubscribe": (b"",),
    "monitor": (),
}


def calls_of(socket: Any) -> list[tuple[str, Any, tuple[Any, ...]]]:
    return [
        (name, getattr(socket, name), arguments)
        for name, arguments in (ASYNC_CALLS | SYNC_CALLS).items()
        if hasattr(socket, name)
    ]


async def call(name: str, function: Any, arguments: tuple[Any, ...]) -> Any:
    result = function(*arguments)
    return await result if name in ASYNC_CALLS else result
