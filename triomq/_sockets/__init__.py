"""The socket types: each a trio channel, composed of a sending and a receiving half and a strategy."""

from __future__ import annotations

from ._base import Socket
from ._dealer import DEALER
from ._pair import PAIR
from ._pipeline import PULL, PUSH
from ._publishing import PUB, XPUB
from ._receiving import ReceiveSocket
from ._rep import REP
from ._req import REQ
from ._router import ROUTER
from ._sending import SendSocket
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
    "ReceiveSocket",
    "SendSocket",
    "Socket",
]
