"""Sockets as trio channels: tasks that wait, endpoints, the end. What a type does with messages is its pattern."""

from __future__ import annotations

from ._at_creation import EndpointArgument
from ._dealer import DEALER
from ._monitors import Observer
from ._pair import PAIR
from ._pipeline import PULL, PUSH
from ._publishing import PUB, XPUB
from ._receive_socket import ReceiveSocket
from ._rep import REP
from ._req import REQ
from ._router import ROUTER
from ._send_socket import SendSocket
from ._shared import Shared
from ._socket import Socket
from ._subscribing import SUB, XSUB
from ._waiting import Bell

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
    "ReceiveSocket",
    "SendSocket",
    "Shared",
    "Socket",
]
