"""ZeroMQ sockets as trio channels, in pure Python, with ZMTP on the wire."""

from __future__ import annotations

from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING

from . import zmtp
from ._context import Context, open_context
from ._errors import (
    AddressInUseError,
    DecodeError,
    DeniedError,
    EndpointError,
    HandshakeRefusedError,
    InternalError,
    LocalProtocolError,
    MechanismMismatchError,
    PeerUnwantedError,
    ProtocolError,
    RefusedByPeerError,
    RemoteProtocolError,
    SilentPeerError,
    UnroutableError,
    UnsupportedTransportError,
    WrongStateError,
    WrongThreadError,
    ZmqError,
)
from ._events import (
    AcceptFailed,
    Connected,
    ConnectFailed,
    Disconnected,
    HandshakeFailed,
    HandshakeSucceeded,
    HighWaterMarkReached,
    HighWaterMarkRelieved,
    KeptWaiting,
    Listening,
    ListeningStopped,
    MessageDropped,
    Monitor,
    MonitorEvent,
)
from ._message import Message, MessageLike
from ._options import ZMQ_NAMES, Options
from ._public import later, publish
from ._security import Security as Security  # the type hints of `Options` name it
from ._sockets import ReceiveSocket, SendSocket, Socket
from ._statistics import Peer
from ._version import __version__

if TYPE_CHECKING:  # imported later: no program uses all of these
    from . import abc, auth
    from ._connections import SharedNames
    from ._security import Accept, AuthenticationRequest, Authenticator, Deny, PeerProcess
    from ._sockets import DEALER, PAIR, PUB, PULL, PUSH, REP, REQ, ROUTER, SUB, XPUB, XSUB
    from ._statistics import ContextStatistics, PeerStatistics, Rates, SocketStatistics
    from ._tools import (
        BlockingChannel,
        BlockingReceiver,
        BlockingSender,
        Codec,
        CodecChannel,
        CodecReceiveChannel,
        CodecRequestChannel,
        CodecSendChannel,
        DeadLetters,
        JobReceiver,
        JobSender,
        JobStatistics,
        MergedChannel,
        ProxyHandle,
        ProxyStatistics,
        blocking,
        codec,
        merge,
        proxy,
        serve_statistics,
    )
    from .zmtp import Curve, KeyPair, Plain

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
    "Accept",
    "AcceptFailed",
    "AddressInUseError",
    "AuthenticationRequest",
    "Authenticator",
    "BlockingChannel",
    "BlockingReceiver",
    "BlockingSender",
    "Codec",
    "CodecChannel",
    "CodecReceiveChannel",
    "CodecRequestChannel",
    "CodecSendChannel",
    "ConnectFailed",
    "Connected",
    "Context",
    "ContextStatistics",
    "Curve",
    "DeadLetters",
    "DecodeError",
    "DeniedError",
    "Deny",
    "Disconnected",
    "EndpointError",
    "HandshakeFailed",
    "HandshakeRefusedError",
    "HandshakeSucceeded",
    "HighWaterMarkReached",
    "HighWaterMarkRelieved",
    "InternalError",
    "JobReceiver",
    "JobSender",
    "JobStatistics",
    "KeptWaiting",
    "KeyPair",
    "Listening",
    "ListeningStopped",
    "LocalProtocolError",
    "MechanismMismatchError",
    "MergedChannel",
    "Message",
    "MessageDropped",
    "MessageLike",
    "Monitor",
    "MonitorEvent",
    "Options",
    "Peer",
    "PeerProcess",
    "PeerStatistics",
    "PeerUnwantedError",
    "Plain",
    "ProtocolError",
    "ProxyHandle",
    "ProxyStatistics",
    "Rates",
    "ReceiveSocket",
    "RefusedByPeerError",
    "RemoteProtocolError",
    "SendSocket",
    "SharedNames",
    "SilentPeerError",
    "Socket",
    "SocketStatistics",
    "UnroutableError",
    "UnsupportedTransportError",
    "WrongStateError",
    "WrongThreadError",
    "ZmqError",
    "__version__",
    "abc",
    "auth",
    "blocking",
    "codec",
    "merge",
    "open_context",
    "proxy",
    "serve_statistics",
    "zmtp",
]

if not TYPE_CHECKING:  # a type checker shall refuse a wrong name
    _LATER = [name for name in __all__ if name not in globals()]
    _TYPES = [name for name in _LATER if name.isupper()]
    _PLACES = {
        "._connections": ["SharedNames"],
        "._security": ["Accept", "AuthenticationRequest", "Authenticator", "Deny", "PeerProcess"],
        "._statistics": ["ContextStatistics", "PeerStatistics", "Rates", "SocketStatistics"],
        ".zmtp": ["Curve", "KeyPair", "Plain"],
    }
    _TOOLS = [name for name in _LATER if name not in {*_TYPES, *chain(*_PLACES.values()), "abc", "auth"}]
    _bring_type = later(__name__, {"._sockets": _TYPES})
    _bring = later(__name__, {**_PLACES, "._tools": _TOOLS}, together=True)

    def __getattr__(name: str) -> object:
        """Import what is imported later, or say what to write instead of a name that does not exist."""
        if name in ("abc", "auth"):
            return import_module(f".{name}", __name__)
        if name in _LATER:
            return (_bring_type if name in _TYPES else _bring)(name)
        if name.startswith("_"):
            raise AttributeError(f"module 'triomq' has no attribute {name!r}", name=name)
        from ._advice import explain_name

        raise AttributeError(f"triomq has no {name!r}: {explain_name(name, __all__, ZMQ_NAMES)}", name=name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


publish("triomq.zmtp", vars(zmtp), zmtp.__all__)
publish("triomq", globals(), __all__)
del later, publish
