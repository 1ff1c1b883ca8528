"""PUSH and PULL: work to the next worker that has room (RFC 30)."""

from __future__ import annotations

from typing import ClassVar, final

from .._patterns import Pattern, Pull, Push
from ._receive_socket import ReceiveSocket
from ._send_socket import SendSocket


@final
class PUSH(SendSocket):
    """Sends each message to one of its PULL peers, in turn, passing over the full; waits while all are full."""

    socket_type: ClassVar[str] = "PUSH"
    _pattern_class: ClassVar[type[Pattern]] = Push


@final
class PULL(ReceiveSocket):
    """Receives from all of its PUSH peers, each in turn."""

    socket_type: ClassVar[str] = "PULL"
    _pattern_class: ClassVar[type[Pattern]] = Pull
