"""Transports: how endpoints become byte streams. They know nothing about ZMTP."""

from __future__ import annotations

from ._awaited_stream import AwaitedStream, as_nonblocking
from ._endpoint import split_endpoint
from ._ipc import IpcTransport
from ._listener import SocketListener
from ._registry import default_transports, find_transport, unsupported
from ._stream import SocketStream
from ._stream_rules import SendGuard, receive_size
from ._tcp import TcpTransport
from ._tcp_address import Host, parse_bind, parse_connect

__all__ = [
    "AwaitedStream",
    "Host",
    "IpcTransport",
    "SendGuard",
    "SocketListener",
    "SocketStream",
    "TcpTransport",
    "as_nonblocking",
    "default_transports",
    "find_transport",
    "parse_bind",
    "parse_connect",
    "receive_size",
    "split_endpoint",
    "unsupported",
]
