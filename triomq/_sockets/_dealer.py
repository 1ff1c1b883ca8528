"""DEALER: asynchronous requests (RFC 28)."""

from __future__ import annotations

from typing import ClassVar, final

import trio

from .._message import Message
from .._patterns import Dealer, Pattern
from ._receive_socket import ReceiveSocket
from ._send_socket import SendSocket


@final
class DEALER(SendSocket, ReceiveSocket, trio.abc.Channel[Message]):
    """Sends to its peers in turn, waiting while all are full; receives from all of them, each in turn.

    To talk to a REP peer, begin each message with an empty frame.
    """

    socket_type: ClassVar[str] = "DEALER"
    _pattern_class: ClassVar[type[Pattern]] = Dealer
