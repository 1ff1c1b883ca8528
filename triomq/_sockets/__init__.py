"""Sockets as trio channels: tasks that wait, endpoints, the end. What a type does with messages is its pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._public import later
from ._at_creation import EndpointArgument
from ._monitors import Observer
from ._peers import Peers
from ._receive_socket import ReceiveSocket
from ._send_socket import SendSocket
from ._shared import Shared
from ._socket import Socket
from ._waiting import Bell

if TYPE_CHECKING:  # imported later: few programs have sockets of every type
    from ._dealer import DEALER
    from ._pair import PAIR
    from ._pipeline import PULL, PUSH
    from ._publishing import PUB, XPUB
    from ._rep import REP
    from ._req import REQ
    from ._router import ROUTER
    from ._subscribing import SUB, XSUB
else:
    __getattr__ = later(
        __name__,
        {
            "._dealer": ["DEALER"],
            "._pair": ["PAIR"],
            "._pipeline": ["PULL", "PUSH"],
            "._publishing": ["PUB", "XPUB"],
            "._rep": ["REP"],
            "._req": ["REQ"],
            "._router": ["ROUTER"],
            "._subscribing": ["SUB", "XSUB"],
        },
    )

__all__ = [
    "DEALER",
    "PAIR",
    "PUB",
    "PULL",
    "PUSH",
    "REP",
    "REQ",
    "ROUTER",
    "SUB",
    "XPUB",
    "XSUB",
    "Bell",
    "EndpointArgument",
    "Observer",
    "Peers",
    "ReceiveSocket",
    "SendSocket",
    "Shared",
    "Socket",
]
