"""PAIR: exactly one peer (RFC 31)."""

from __future__ import annotations

from typing import ClassVar, final

import trio

from .._message import Message
from .._patterns import Pair, Pattern
from ._receive_socket import ReceiveSocket
from ._send_socket import SendSocket


@final
class PAIR(SendSocket, ReceiveSocket, trio.abc.Channel[Message]):
    """Talks with one PAIR peer; a second one is turned away, and told of by a monitor event."""

    socket_type: ClassVar[str] = "PAIR"
    _pattern_class: ClassVar[type[Pattern]] = Pair
