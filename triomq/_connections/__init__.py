"""How a pipe reaches its peer: carriers, and the life of a connection."""

from __future__ import annotations

from ._acceptor import Acceptor
from ._dialer import Dialer
from ._inproc import InprocNames
from ._session import Session, new_connection

__all__ = ["Acceptor", "Dialer", "InprocNames", "Session", "new_connection"]
