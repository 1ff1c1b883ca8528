"""The transports that every context has."""

from __future__ import annotations

from ._interface import Transport
from ._ipc import IpcTransport
from ._tcp import TcpTransport


def default_transports() -> dict[str, Transport]:
    """The byte-stream transports that every context has, by scheme."""
    return {"tcp": TcpTransport(), "ipc": IpcTransport()}
