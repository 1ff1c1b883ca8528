"""ZeroMQ sockets as trio channels, in pure Python, with ZMTP on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from . import abc, zmtp
from ._advice import explain_name
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
from ._public import publish
from ._security import Accept, AuthenticationRequest, Authenticator, Deny
from ._security import Security as Security  # the type hints of `Options` name it
from ._sockets import (
    DEALER,
    PAIR,
    PUB,
    PULL,
    PUSH,
    REP,
    REQ,
    ROUTER,
    SUB,
    XPUB,
    XSUB,
    ReceiveSocket,
    SendSocket,
    Socket,
)
from ._statistics import ContextStatistics, Peer, PeerStatistics, Rates, SocketStatistics
from ._tools import (
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
    codec,
    merge,
    proxy,
    serve_statistics,
)
from ._version import __version__
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
    "codec",
    "merge",
    "open_context",
    "proxy",
    "serve_statistics",
    "zmtp",
]

if not TYPE_CHECKING:  # a type checker shall refuse a wrong name

    def __getattr__(name: str) -> NoReturn:
        """Say what to write instead of a name that does not exist."""
        if name.startswith("_"):
            raise AttributeError(f"module 'triomq' has no attribute {name!r}", name=name)
        raise AttributeError(f"triomq has no {name!r}: {explain_name(name, __all__, ZMQ_NAMES)}", name=name)


publish("triomq.zmtp", vars(zmtp), zmtp.__all__)
publish("triomq.abc", vars(abc), abc.__all__)
publish("triomq", globals(), __all__)
del publish
