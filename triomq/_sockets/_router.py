"""ROUTER: messages to and from peers by name (RFC 28)."""

from __future__ import annotations

from typing import Any, ClassVar, final

import trio

from .._errors import WrongStateError
from .._message import Message
from .._patterns import Pattern, Router
from ._receive_socket import ReceiveSocket
from ._send_socket import SendSocket
from ._shared import Shared


@final
class ROUTER(SendSocket, ReceiveSocket, trio.abc.Channel[Message]):
    """Puts the sender's routing id before each message received; sends to the peer that the first frame names.

    Without ``router_mandatory`` a message for an unknown or a full peer is dropped and counted. With it, an unknown
    peer raises `UnroutableError`, and a full one is waited for.
    """

    socket_type: ClassVar[str] = "ROUTER"
    _pattern_class: ClassVar[type[Pattern]] = Router

    def __init__(self, shared: Shared, arguments: dict[str, Any]) -> None:
        super().__init__(shared, arguments)
        assert isinstance(self._pattern, Router)
        self._router: Router = self._pattern

    @trio.lowlevel.enable_ki_protection
    def connect(self, endpoint: str, *, routing_id: bytes | None = None) -> None:
        """Connect to an endpoint, now and whenever the connection is lost; see `Socket.connect`.

        Args:
          routing_id: the name that this socket gives to the peer there, whatever the peer calls itself. Under that name
            messages are queued for the peer before it is there, and while the connection is lost. 1 to 255 bytes, of
            which the first is not zero.
        Raises:
          WrongStateError: another peer has this name, or the socket is connected to the endpoint already, without it.
          TypeError: the name is not `bytes`.
          ValueError: the name is too long, or empty, or begins with a zero byte.
          Otherwise as `Socket.connect`.
        """
        if routing_id is None:
            super().connect(endpoint)
            return
        self._check("connect")
        _check_name(routing_id)
        self._shared.carriers.find(endpoint)
        if endpoint in self._connected:
            if self._router.given_name(endpoint) != routing_id:
                raise WrongStateError(
                    f"ROUTER.connect: connected to {endpoint} already, and not as {routing_id!r}; disconnect first"
                )
            return
        self._router.name_peer(endpoint, routing_id)
        try:
            super().connect(endpoint)
        except BaseException:
            self._router.disconnected(endpoint)
            raise


def _check_name(routing_id: object) -> None:
    if not isinstance(routing_id, bytes):
        raise TypeError(f"ROUTER.connect: routing_id is bytes, not {type(routing_id).__name__}: {routing_id!r}")
    if not 1 <= len(routing_id) <= 255:
        raise ValueError(f"ROUTER.connect: routing_id has 1 to 255 bytes, and this one has {len(routing_id)}")
    if routing_id[0] == 0:
        raise ValueError(
            f"ROUTER.connect: routing_id={routing_id!r} begins with a zero byte: such names are the ROUTER's own"
        )
