"""Which transport speaks an endpoint's scheme."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .._errors import UnsupportedTransportError
from ..abc import Transport
from ._endpoint import split_endpoint
from ._ipc import IpcTransport
from ._tcp import TcpTransport

_NOT_SPOKEN = frozenset({"pgm", "epgm", "norm", "tipc", "vmci", "udp", "ws", "wss"})
"""Schemes of libzmq that are not here: whoever writes one made no typing error."""


def default_transports() -> dict[str, Transport]:
    """The byte-stream transports that every context has, by scheme."""
    return {"tcp": TcpTransport(), "ipc": IpcTransport()}


def find_transport(
    endpoint: str, transports: Mapping[str, Transport], also: Iterable[str] = ()
) -> tuple[Transport, str]:
    """Look up who speaks an endpoint's scheme.

    Args:
      endpoint: the whole endpoint.
      transports: by scheme, as from `default_transports`.
      also: schemes the caller serves itself (inproc): for the error's list.
    Returns: the transport, and the address it takes.

    Raises:
      TypeError: the endpoint is not a str.
      EndpointError: it is malformed; `UnsupportedTransportError` where no transport has its scheme.
    """
    scheme, address = split_endpoint(endpoint)
    transport = transports.get(scheme)
    if transport is None:
        raise unsupported(endpoint, scheme, [*transports, *also])
    return transport, address


def unsupported(endpoint: str, scheme: str, known: Iterable[str]) -> UnsupportedTransportError:
    """The error for a scheme that nobody here speaks; it lists those that are."""
    schemes = ", ".join(sorted(set(known)))
    why = f"triomq does not speak {scheme!r} (yet)" if scheme in _NOT_SPOKEN else f"unknown scheme {scheme!r}"
    return UnsupportedTransportError(
        f"endpoint {endpoint!r}: {why}; there are {schemes}, and others can be given to open_context(transports=…)"
    )
