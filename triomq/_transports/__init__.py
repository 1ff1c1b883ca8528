"""Transports: how endpoints become byte streams. They know nothing about ZMTP."""

from ._ipc import IpcTransport
from ._listener import SocketListener
from ._registry import default_transports, find_transport, unsupported
from ._stream import SocketStream
from ._tcp import TcpTransport

__all__ = [
    "IpcTransport",
    "SocketListener",
    "SocketStream",
    "TcpTransport",
    "default_transports",
    "find_transport",
    "unsupported",
]
