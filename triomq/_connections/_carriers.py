"""Which carrier carries an endpoint's scheme."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from .._errors import UnsupportedTransportError
from .._transports import Transport, split_endpoint
from ._carrier import Carrier

if TYPE_CHECKING:  # imported for an endpoint that needs it
    from ._between_runs import SharedNames
    from ._stream_carrier import StreamCarrier

_NOT_SPOKEN = frozenset({"norm", "tipc", "vmci", "udp", "ws", "wss"})
"""Schemes of libzmq that are not here: whoever writes one made no typing error."""

_STREAMS = ("ipc", "tcp")
_GROUPS = ("epgm", "pgm")
_OURS = (*_STREAMS, *_GROUPS, "inproc")
"""The schemes that every context has."""


class Carriers:
    """The carriers of one context, by scheme. One of ours is imported and made for the first endpoint of its scheme.

    Args:
      given: transports and carriers of the user, beside the ones that every context has, or in place of them.
      names: what the context shares inproc names by; None if it has its own.
    Raises:
      TypeError: one of them is neither; or the names are something else.
      ValueError: there are both names and a carrier of the user for inproc.
      UnsupportedTransportError: a `StreamCarrier` wants a transport that is not here.
    """

    def __init__(self, given: Mapping[str, Transport | Carrier], names: SharedNames | None = None) -> None:
        self._carriers: dict[str, Carrier] = {}
        self._carry_streams_by: Callable[[StreamCarrier], Carrier] | None = None
        if names is not None:
            self._carriers["inproc"] = _by_shared_names(names, given)
        if given:
            self._carriers.update(_carriers(given))

    def carry_streams(self, by: Callable[[StreamCarrier], Carrier]) -> None:
        """Let each carrier of byte streams, those to come included, be carried by another one."""
        self._carry_streams_by = by
        for scheme, carrier in self._carriers.items():
            self._carriers[scheme] = self._carried(carrier)

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
            if scheme not in _OURS:
                raise _unsupported(endpoint, scheme, {*self._carriers, *_OURS})
            carrier = self._carriers[scheme] = self._carried(_new_carrier(scheme))
        return carrier, address

    def _carried(self, carrier: Carrier) -> Carrier:
        if self._carry_streams_by is None:
            return carrier
        from ._stream_carrier import StreamCarrier

        return self._carry_streams_by(carrier) if isinstance(carrier, StreamCarrier) else carrier


def _new_carrier(scheme: str) -> Carrier:
    """One of ours, with all that carries by it: no program uses every scheme."""
    if scheme in _STREAMS:
        from .._transports import default_transports
        from ._stream_carrier import StreamCarrier

        return StreamCarrier(default_transports()[scheme])
    if scheme in _GROUPS:
        from .._transports import SystemGroups
        from ._multicast import MulticastCarrier

        return MulticastCarrier(scheme, SystemGroups(raw=scheme == "pgm"))
    from ._inproc import InprocCarrier

    return InprocCarrier()


def _by_shared_names(names: object, given: Mapping[str, Transport | Carrier]) -> Carrier:
    from ._between_runs import SharedCarrier, SharedNames

    if not isinstance(names, SharedNames):
        raise TypeError(f"inproc= takes triomq.SharedNames(), the same for all that share them, not {names!r}")
    if "inproc" in given:
        raise ValueError("inproc= and transports={'inproc': …} are two carriers for one scheme: give one of them")
    return SharedCarrier(names)


def _carriers(given: Mapping[str, Transport | Carrier]) -> dict[str, Carrier]:
    """The carriers of what the user has given."""
    from .._transports import default_transports
    from ._stream_carrier import StreamCarrier

    known = {**default_transports(), **given}
    carriers: dict[str, Carrier] = {}
    for scheme, one in given.items():
        if isinstance(one, Transport):
            carriers[scheme] = StreamCarrier(one)
        elif isinstance(one, Carrier):
            carriers[scheme] = one.over(known) if isinstance(one, StreamCarrier) else one
        else:
            raise TypeError(f"transports= takes objects of triomq.abc.Transport or triomq.abc.Carrier, not {one!r}")
    return carriers


def _unsupported(endpoint: str, scheme: str, known: Iterable[str]) -> UnsupportedTransportError:
    schemes = ", ".join(sorted(known))
    why = f"triomq does not speak {scheme!r} (yet)" if scheme in _NOT_SPOKEN else f"unknown scheme {scheme!r}"
    return UnsupportedTransportError(
        f"endpoint {endpoint!r}: {why}; there are {schemes}, and others can be given to open_context(transports=…)"
    )
