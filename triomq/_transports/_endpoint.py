"""Endpoints as text: ``scheme://address``.

What the address means is the transport's business; here it is only cut off its scheme.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable

from .._errors import EndpointError

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_HOST_AND_PORT = re.compile(r"([\w.-]+|\*|\[[0-9a-fA-F:.]+\]):(\d+|\*)")
_EXAMPLE = "an endpoint looks like 'tcp://127.0.0.1:5555' or 'ipc:///tmp/feed'"


def split_endpoint(endpoint: str) -> tuple[str, str]:
    """Cut an endpoint into its scheme and its address.

    Returns: scheme and address, without the ``://`` between them; neither is empty.

    Raises:
      TypeError: the endpoint is not a str.
      EndpointError: there is no ``://``, or the scheme or the address is empty or not one.
    """
    if not isinstance(endpoint, str):
        raise TypeError(_not_text(endpoint))
    scheme, separator, address = endpoint.partition("://")
    if not separator:
        meant = f"do you mean 'tcp://{endpoint}'?" if _HOST_AND_PORT.fullmatch(endpoint) else _EXAMPLE
        raise EndpointError(f"endpoint {endpoint!r} has no '://'; {meant}")
    if not scheme:
        raise EndpointError(f"endpoint {endpoint!r} has no scheme before '://'; {_EXAMPLE}")
    if not _SCHEME.fullmatch(scheme):
        if _SCHEME.fullmatch(scheme.lower()):
            # libzmq knows no "TCP" either; its "Protocol not supported" leaves the reader guessing why.
            raise EndpointError(f"endpoint {endpoint!r}: schemes are lower case, write '{scheme.lower()}://…'")
        raise EndpointError(f"endpoint {endpoint!r}: {scheme!r} is not a scheme; {_EXAMPLE}")
    if not address:
        raise EndpointError(f"endpoint {endpoint!r} has no address after '://'; {_EXAMPLE}")
    return scheme, address


def _not_text(endpoint: object) -> str:
    if isinstance(endpoint, (bytes, bytearray, memoryview)):
        return f"endpoint {bytes(endpoint)!r} is bytes, and an endpoint is a str: give endpoint.decode()"
    if isinstance(endpoint, Awaitable):
        return f"an endpoint is a str, not {type(endpoint).__name__}: await it first, as in 'await socket.bind(…)'"
    if isinstance(endpoint, os.PathLike):
        return f"an endpoint is a str, not {type(endpoint).__name__}: write f'ipc://{{path}}'"
    return f"an endpoint is a str, not {type(endpoint).__name__} ({endpoint!r}); {_EXAMPLE}"
