"""How an endpoint's address becomes byte streams. This room knows nothing about ZMTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._public import later
from ._endpoint import split_endpoint
from ._interface import Listener, NonblockingStream, Transport, try_receive

if TYPE_CHECKING:  # imported later: no program uses every transport
    from ._awaited_stream import AwaitedStream, as_nonblocking
    from ._group_address import GroupAddress, parse_group
    from ._groups import GroupNetwork, GroupPort, SystemGroups
    from ._ipc import IpcTransport
    from ._listener import SocketListener
    from ._registry import default_transports
    from ._stream import SocketStream
    from ._stream_rules import SendGuard, receive_size
    from ._tcp import TcpTransport
    from ._tcp_address import Host, parse_bind, parse_connect
else:
    __getattr__ = later(
        __name__,
        {
            "._awaited_stream": ["AwaitedStream", "as_nonblocking"],
            "._group_address": ["GroupAddress", "parse_group"],
            "._groups": ["GroupNetwork", "GroupPort", "SystemGroups"],
            "._ipc": ["IpcTransport"],
            "._listener": ["SocketListener"],
            "._registry": ["default_transports"],
            "._stream": ["SocketStream"],
            "._stream_rules": ["SendGuard", "receive_size"],
            "._tcp": ["TcpTransport"],
            "._tcp_address": ["Host", "parse_bind", "parse_connect"],
        },
    )

__all__ = [
    "AwaitedStream",
    "GroupAddress",
    "GroupNetwork",
    "GroupPort",
    "Host",
    "IpcTransport",
    "Listener",
    "NonblockingStream",
    "SendGuard",
    "SocketListener",
    "SocketStream",
    "SystemGroups",
    "TcpTransport",
    "Transport",
    "as_nonblocking",
    "default_transports",
    "parse_bind",
    "parse_connect",
    "parse_group",
    "receive_size",
    "split_endpoint",
    "try_receive",
]
