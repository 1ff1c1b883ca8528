"""Who may come in, ready-made: authenticators, certificate files of CURVE, Z85, and handlers of ZAP.

    ctx.authenticator(triomq.auth.CertificateDirectory("clients"))

An authenticator is any async function that takes a `triomq.AuthenticationRequest` and returns `triomq.Accept` or
`triomq.Deny`; these are some that many programs need.
"""

from __future__ import annotations

from .._public import publish
from .._security import z85_decode, z85_encode
from ..zmtp import KeyPair
from ._addresses import AllowAddresses
from ._all_of import AllOf
from ._certificates import Certificate, read_certificate, write_certificates
from ._directory import CertificateDirectory
from ._users import AllowUsers
from ._zap import ZapClient

__all__ = [
    "AllOf",
    "AllowAddresses",
    "AllowUsers",
    "Certificate",
    "CertificateDirectory",
    "ZapClient",
    "read_certificate",
    "write_certificates",
    "z85_decode",
    "z85_encode",
]

publish("triomq", {"KeyPair": KeyPair}, ["KeyPair"])  # annotations here name it, before anybody has asked triomq for it
publish(__name__, globals(), __all__)
