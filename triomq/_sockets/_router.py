"""ROUTER: messages to and from peers by name (RFC 28)."""

from __future__ import annotations

from typing import ClassVar, final

import trio

from .._message import Message
from .._patterns import Pattern, Router
from ._receive_socket import ReceiveSocket
from ._send_socket import SendSocket


@final
class ROUTER(SendSocket, ReceiveSocket, trio.abc.Channel[Message]):
    """Puts the sender's routing id before each message received; sends to the peer that the first frame names.

    Without ``router_mandatory`` a message for an unknown or a full peer is dropped and counted. With it, an unknown
    peer raises `UnroutableError`, and a full one is waited for.
    """

    socket_type: ClassVar[str] = "ROUTER"
    _pattern_class: ClassVar[type[Pattern]] = Router
