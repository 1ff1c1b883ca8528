"""An authenticator that allows peers of CURVE by a directory of certificates."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .._security import Accept, AuthenticationRequest, Deny, z85_encode
from ._certificates import Certificate, read_certificate

_PROPERTY: Final = re.compile(r"[A-Za-z0-9_.+-]{1,255}")  # RFC 27


class CertificateDirectory:
    """An authenticator that lets in whose public certificate lies in a directory.

    The socket has ``mechanism=Curve.server(keypair)``. Every file ``*.key`` counts, of triomq, pyzmq or czmq. A peer's
    ``user_id`` is its public key in Z85, as pyzmq has it. Its ``user_metadata`` has the metadata of its certificate, as
    far as the names are allowed (RFC 27), and as ``certificate`` the name of the file without ``.key``.

    Args:
      directory: where the certificates are. They are read now, and by `reload`.
    Raises:
      OSError: the directory, or one of the files, cannot be read.
      ValueError: one of the files is no certificate.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self._directory = Path(directory)
        self._verdicts: Mapping[bytes, Accept] = {}
        self.reload()

    @property
    def keys(self) -> frozenset[bytes]:
        """The public keys that are let in, 32 bytes each."""
        return frozenset(self._verdicts)

    def reload(self) -> None:
        """Read the directory again: what is found counts for all who come from now on. Peers that are in stay.

        Reads small files, and waits for the disk. To be told of changes is the caller's part: by a signal, a timer, or
        a message.

        Raises:
          OSError, ValueError: as when it was made; what was read before counts still.
        """
        paths = sorted(path for path in self._directory.iterdir() if path.name.endswith(".key"))
        read = {path: read_certificate(path) for path in paths}
        self._verdicts = {one.public_key: _verdict(path, one) for path, one in read.items()}

    async def __call__(self, request: AuthenticationRequest) -> Accept | Deny:
        """See `triomq.Authenticator`."""
        if request.mechanism != "CURVE":
            return Deny(400, f"a peer of {request.mechanism}, where CURVE is asked for")
        return self._verdicts.get(request.public_key) or Deny(400, f"no certificate in {self._directory} has its key")

    def __repr__(self) -> str:
        return f"<CertificateDirectory {self._directory} {len(self._verdicts)} keys>"


def _verdict(path: Path, certificate: Certificate) -> Accept:
    metadata = {name: value.encode() for name, value in certificate.metadata.items() if _PROPERTY.fullmatch(name)}
    return Accept(z85_encode(certificate.public_key), {**metadata, "certificate": os.fsencode(path.stem)})
