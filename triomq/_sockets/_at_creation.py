"""Endpoints that a socket has from its creation: ``bind=`` and ``connect=``.

Theory of operation

Connecting does not wait. Binding may: a name is looked up, and a directory is locked for ``ipc``. So a socket that is
made with ``bind=`` binds where trio programs wait for what is set up: when it is entered. Before that it has nothing,
and refuses every call: `Socket._thread`, which every call compares, says that it is closed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn, TypeAlias

import trio

from .._connections import Carriers
from .._errors import WrongStateError
from ._shared import NO_THREAD

if TYPE_CHECKING:
    from ._socket import Socket

EndpointArgument: TypeAlias = str | Iterable[str]
"""One endpoint, or several."""
Endpoints: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
"""What to bind, and what to connect then."""


def endpoints_arguments(bind: EndpointArgument, connect: EndpointArgument, carriers: Carriers) -> Endpoints:
    """The endpoints to bind, and those to connect.

    Raises:
      TypeError: an argument is neither a str nor an iterable of them.
      EndpointError: an endpoint is malformed, or its transport unknown.
    """
    return _argument("bind", bind, carriers), _argument("connect", connect, carriers)


def _argument(name: str, given: EndpointArgument, carriers: Carriers) -> tuple[str, ...]:
    if isinstance(given, str):
        endpoints: tuple[str, ...] = (given,)
    elif isinstance(given, (bytes, bytearray, memoryview)) or not isinstance(given, Iterable):
        carriers.find(given)  # type: ignore[arg-type]  # it says what is wrong
        raise TypeError(f"{name}= takes an endpoint or a list of them, not {given!r}")
    else:
        endpoints = tuple(given)
    for endpoint in endpoints:
        carriers.find(endpoint)
    return endpoints


def begin(socket: Socket, endpoints: Endpoints) -> None:
    """Connect a new socket, or let it wait until it is entered; if connecting fails, nothing of the socket stays."""
    to_bind, to_connect = endpoints
    if to_bind:
        socket._on_entry, socket._thread = endpoints, NO_THREAD
        return
    try:
        for endpoint in to_connect:
            socket.connect(endpoint)
    except BaseException:
        socket._refuse_calls()
        socket._end()
        raise


def is_new(socket: Socket) -> bool:
    """Whether a socket waits until it is entered, and was neither closed nor inherited by a forked child."""
    waits = socket._on_entry is not None and not socket._peers.closing
    return waits and socket._shared.runtime.process == os.getpid()


async def enter(socket: Socket) -> None:
    """Bind and connect a socket that was made with ``bind=``; if that fails, it is closed."""
    runtime = socket._shared.runtime
    runtime.check_thread(f"{socket.socket_type}.__aenter__")
    if socket._peers.closing:
        socket._check("__aenter__")
    assert socket._on_entry is not None
    (to_bind, to_connect), socket._on_entry = socket._on_entry, None
    socket._thread = runtime.thread
    try:
        for endpoint in to_bind:
            await socket.bind(endpoint)
        for endpoint in to_connect:
            socket.connect(endpoint)
    except BaseException:
        with trio.CancelScope(shield=True) as scope:
            scope.cancel()
            await socket.aclose()
        raise


def refuse_before_entry(socket: Socket, what: str) -> NoReturn:
    """Refuse a call on a socket that was made with ``bind=``, and has not been entered.

    Raises:
      WrongStateError: always.
    """
    kind = socket.socket_type
    raise WrongStateError(
        f"{kind}.{what}: this socket was made with bind=, and binds when it is entered; write "
        f"'async with ctx.socket(triomq.{kind}, bind=…) as socket:', or await socket.bind(…) in place of bind="
    )
