"""Which carrier carries an endpoint's scheme."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from .._errors import UnsupportedTransportError
from .._transports import Transport, default_transports, split_endpoint
from ._between_runs import SharedNames
from ._carrier import Carrier
from ._inproc import InprocCarrier
from ._stream_carrier import StreamCarrier

_NOT_SPOKEN = frozenset({"norm", "tipc", "vmci", "udp", "ws", "wss"})
"""Schemes of libzmq that are not here: whoever writes one made no typing error."""


_GROUPS = ("epgm", "pgm")


class Carriers:
    """The carriers of one context, by scheme.

    Args:
      given: transports and carriers of the user, beside the ones that every context has, or in place of them.
      names: what the context shares inproc names by; None if it has its own.
    Raises:
      TypeError: one of them is neither; or the names are something else.
      ValueError: there are both names and a carrier of the user for inproc.
      UnsupportedTransportError: a `StreamCarrier` wants a transport that is not here.
    """

    def __init__(self, given: Mapping[str, Transport | Carrier], names: SharedNames | None = None) -> None:
        known: dict[str, Transport | Carrier] = {
            **default_transports(),
            "inproc": _inproc(names, given),
            **given,
        }
        self._carriers: dict[str, Carrier] = {scheme: _carrier(one, known) for scheme, one in known.items()}

    def carry_streams(self, by: Callable[[StreamCarrier], Carrier]) -> None:
        """Let each carrier of byte streams be carried by another one."""
        for scheme, carrier in self._carriers.items():
            if isinstance(carrier, StreamCarrier):
                self._carriers[scheme] = by(carrier)

    def find(self, endpoint: str) -> tuple[Carrier, str]:
        """Look up the carrier of an endpoint.

        Returns: the carrier, and the endpoint's address: what stands behind ``scheme://``.
        Raises:
          TypeError: the endpoint is not a str.
          EndpointError: it is malformed; `UnsupportedTransportError` where no carrier has its scheme.
        """
        scheme, address = split_endpoint(endpoint)
        carrier = self._carriers.get(scheme)
        if carrier is None:
            if scheme not in _GROUPS:
                raise _unsupported(endpoint, scheme, {*self._carriers, *_GROUPS})
            carrier = self._carriers[scheme] = _groups(scheme)
        return carrier, address


def _groups(scheme: str) -> Carrier:
    """The carrier of multicast groups, with all of PGM: imported for an endpoint that needs it."""
    from .._transports import SystemGroups
    from ._multicast import MulticastCarrier

    return MulticastCarrier(scheme, SystemGroups(raw=scheme == "pgm"))


def _inproc(names: object, given: Mapping[str, Transport | Carrier]) -> Carrier:
    if names is None:
        return InprocCarrier()
    if not isinstance(names, SharedNames):
        raise TypeError(f"inproc= takes triomq.SharedNames(), the same for all that share them, not {names!r}")
    if "inproc" in given:
        raise ValueError("inproc= and transports={'inproc': …} are two carriers for one scheme: give one of them")
    from ._between_runs import SharedCarrier

    return SharedCarrier(names)


def _carrier(given: object, known: Mapping[str, Transport | Carrier]) -> Carrier:
    if isinstance(given, Transport):
        return StreamCarrier(given)
    if not isinstance(given, Carrier):
        raise TypeError(f"transports= takes objects of triomq.abc.Transport or triomq.abc.Carrier, not {given!r}")
    return given.over(known) if isinstance(given, StreamCarrier) else given


def _unsupported(endpoint: str, scheme: str, known: Iterable[str]) -> UnsupportedTransportError:
    schemes = ", ".join(sorted(known))
    why = f"triomq does not speak {scheme!r} (yet)" if scheme in _NOT_SPOKEN else f"unknown scheme {scheme!r}"
    return UnsupportedTransportError(
        f"endpoint {endpoint!r}: {why}; there are {schemes}, and others can be given to open_context(transports=…)"
    )
