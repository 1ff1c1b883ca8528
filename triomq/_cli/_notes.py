"""What happens to the command's connections, for the user to read."""

from __future__ import annotations

from .. import (
    AcceptFailed,
    Connected,
    ConnectFailed,
    Disconnected,
    HandshakeFailed,
    HandshakeSucceeded,
    Socket,
)
from .._events import MonitorEvent
from ..abc import Observer
from ._exits import Teller, describe

_MOST_TOLD = 100
"""different lines: strangers can cause more, one for each connection"""


class Notes(Observer):
    """Tells of trouble once; of every connection if the user is curious.

    Attributes:
      trouble: the last trouble of each endpoint that has not ended since.
    """

    def __init__(self, teller: Teller) -> None:
        self.trouble: dict[str, str] = {}
        self._teller = teller
        self._told: set[str] = set()
        self._reasons: set[tuple[str, str]] = set()  # of failed handshakes that were told, by endpoint

    def event(self, socket: Socket, event: MonitorEvent) -> None:
        """See `Observer`."""
        match event:
            case ConnectFailed(endpoint=endpoint, error=error):
                self._note(endpoint, f"nobody is there yet ({_reason(endpoint, error)}); trying on")
            case Connected(endpoint=endpoint):
                self.trouble[endpoint] = "connected, but the handshake of ZMTP is not complete"
            case HandshakeFailed(endpoint=endpoint, address=address, error=error):
                self._note_failure(endpoint, address, error)
            case AcceptFailed(endpoint=endpoint, error=error):
                self._note(endpoint, f"a connection could not be accepted: {describe(error)}")
            case HandshakeSucceeded(endpoint=endpoint, address=address, socket_type=socket_type):
                self.trouble.pop(endpoint, None)
                self._teller.tell(f"{endpoint}: {socket_type} at {address} is here", at=1)
            case Disconnected(endpoint=endpoint, address=address, error=error):
                why = f": {describe(error)}" if error else ""
                self._teller.tell(f"{endpoint}: {address} has gone{why}", at=1)
            case _:
                pass  # -vv shows the log, which has everything

    def has_said(self, endpoint: str, error: BaseException) -> bool:
        """Whether the user has read why there is no peer, or at least what this follows from."""
        causes = (error, error.__cause__)
        return any(cause is not None and (endpoint, describe(cause)) in self._reasons for cause in causes)

    def _note_failure(self, endpoint: str, address: str, error: Exception) -> None:
        text = f"no messages with {address}: {describe(error)}"
        if error.__cause__ is not None and self.has_said(endpoint, error.__cause__):
            self.trouble[endpoint] = text
            self._teller.tell(f"{endpoint}: {text}", at=1)
        elif self._note(endpoint, text) and self._teller.verbosity >= 0:
            self._reasons.add((endpoint, describe(error)))

    def _note(self, endpoint: str, text: str) -> bool:
        """Tell of trouble, if it is new. Returns: whether it is."""
        self.trouble[endpoint] = text.removesuffix("; trying on")
        line = f"{endpoint}: {text}"
        is_new = line not in self._told and len(self._told) < _MOST_TOLD
        self._teller.tell(line, at=0 if is_new else 1)
        if is_new:
            self._told.add(line)
        return is_new

    def closed(self, socket: Socket) -> None:
        """See `Observer`."""


def _reason(endpoint: str, error: BaseException) -> str:
    return describe(error).removeprefix(f"cannot connect to {endpoint}: ")
