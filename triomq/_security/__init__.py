"""Who may come in: what secures connections, and the question to an authenticator with its answers."""

from ._interface import Security
from ._origin import AllowList, PeerProcess, ip_of, own_process
from ._verdict import Accept, AuthenticationRequest, Authenticator, Deny
from ._z85 import z85_decode, z85_encode

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
