"""The question whether a peer may come in, and its two answers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

import attrs

from .._record import Record
from ._origin import PeerProcess, ip_of

_STATUSES: Final = (300, 400, 500)
_PROPERTY_NAME: Final = re.compile(r"[A-Za-z0-9_.+-]{1,255}")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AuthenticationRequest(Record):
    """A peer that wants to come in. Until the answer, nothing else that the peer says is looked at.

    Attributes:
      mechanism: by which the peer showed who it is, such as ``"CURVE"``.
      credentials: what it showed (RFC 27): for CURVE its public key (32 bytes), which is proved to be its own; for
        PLAIN name and password; for NULL nothing. Not in the ``repr``.
      address: the other end, as the transport tells it, such as ``"tcp://192.0.2.7:50312"``.
      endpoint: the endpoint of ours, bound or connected, that it came through.
      socket_type: the type of our socket, such as ``"ROUTER"``.
      routing_id: the name that the peer gives itself, or ``b""``; nothing proves it. PLAIN asks before it is told.
      metadata: what else the peer says of itself; nothing proves it either. PLAIN asks before it is told.
      process: at the other end of ``ipc``, as the kernel knows it; None for other transports, and on systems other
        than Linux.
    """

    mechanism: str
    credentials: tuple[bytes, ...] = attrs.field(repr=False)
    address: str
    endpoint: str
    socket_type: str
    routing_id: bytes = b""
    metadata: Mapping[str, bytes] = attrs.field(factory=dict)
    process: PeerProcess | None = None

    @property
    def ip(self) -> str:
        """The IP address in ``address``, as IPv4 where it stands for one; ``""`` if there is none, as with ``ipc``."""
        return str(ip_of(self.address) or "")

    @property
    def username(self) -> bytes:
        """The name that a peer of PLAIN gave; ``b""`` for other mechanisms."""
        return self.credentials[0] if self.mechanism == "PLAIN" else b""

    @property
    def password(self) -> bytes:
        """The password that a peer of PLAIN gave; ``b""`` for other mechanisms.

        Compare it by ``hmac.compare_digest``, whose time does not tell where two texts differ.
        """
        return self.credentials[1] if self.mechanism == "PLAIN" else b""

    @property
    def public_key(self) -> bytes:
        """The public key of a peer of CURVE, 32 bytes, proved; ``b""`` for other mechanisms."""
        return self.credentials[0] if self.mechanism == "CURVE" else b""


def _user_id(_: object, __: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, str) or len(value) > 255 or not value.isascii():
        raise ValueError(f"Accept(user_id={value!r}): a user id is a str of up to 255 ASCII characters (RFC 27)")


def _metadata(_: object, __: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, Mapping) or not all(
        isinstance(name, str) and _PROPERTY_NAME.fullmatch(name) and isinstance(one, bytes)
        for name, one in value.items()
    ):
        raise ValueError(
            "Accept(metadata=…): metadata maps names, each 1 to 255 of A-Z a-z 0-9 - _ . + (RFC 27), to bytes"
        )


def _status(_: object, __: attrs.Attribute[Any], value: object) -> None:
    if value not in _STATUSES or isinstance(value, bool):
        raise ValueError(f"Deny(status={value!r}): 300 is a temporary failure, 400 a refusal, 500 an error (RFC 27)")


def _text(_: object, __: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, str):
        raise ValueError(f"Deny(text={value!r}): the text is a str")


@attrs.frozen(eq=False, repr=False)
class Accept(Record):
    """The peer may come in.

    Attributes:
      user_id: who it is, for the application: ``user_id`` of its `Peer`. Up to 255 ASCII characters.
      metadata: what else the application is to know: ``user_metadata`` of its `Peer`. The peer is told neither.
    Raises:
      ValueError: one of them is not as it must be.
    """

    user_id: str = attrs.field(default="", validator=_user_id)
    metadata: Mapping[str, bytes] = attrs.field(factory=dict, validator=_metadata)


@attrs.frozen(eq=False, repr=False)
class Deny(Record):
    """The peer may not come in.

    Attributes:
      status: 300 for a temporary failure: the connection is closed without a word, and the peer tries again soon. 400
        for a refusal, and 500 for an error of the authenticator: the peer is told the number, and tries again after
        a long time, if at all.
      text: why, for this side's monitors. The peer is not told.
    Raises:
      ValueError: one of them is not as it must be.
    """

    status: int = attrs.field(default=400, validator=_status)
    text: str = attrs.field(default="", validator=_text)


Authenticator: TypeAlias = Callable[[AuthenticationRequest], Awaitable[Accept | Deny]]
"""An async function that answers a request. It is cancelled when the peer leaves, or ``handshake_timeout`` is over."""
