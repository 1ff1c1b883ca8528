"""Who may come in: what secures connections, and the question to an authenticator with its answers."""

from typing import TYPE_CHECKING

from .._public import later
from ._interface import Security

if TYPE_CHECKING:  # imported later: few programs ask who may come in
    from ._origin import AllowList, PeerProcess, ip_of, own_process
    from ._verdict import Accept, AuthenticationRequest, Authenticator, Deny
    from ._z85 import z85_decode, z85_encode
else:
    __getattr__ = later(
        __name__,
        {
            "._origin": ["AllowList", "PeerProcess", "ip_of", "own_process"],
            "._verdict": ["Accept", "AuthenticationRequest", "Authenticator", "Deny"],
            "._z85": ["z85_decode", "z85_encode"],
        },
        together=True,
    )

__all__ = [
    "Accept",
    "AllowList",
    "AuthenticationRequest",
    "Authenticator",
    "Deny",
    "PeerProcess",
    "Security",
    "ip_of",
    "own_process",
    "z85_decode",
    "z85_encode",
]
