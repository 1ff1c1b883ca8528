"""Certificates: files with a key of CURVE, as czmq and pyzmq write and read them.

A certificate is a small tree of names and values (ZPL, RFC 4): four blanks for each level, ``name = value`` with or
without quotes, and comments from ``#`` on::

    metadata
        email = "joe@example.org"
    curve
        public-key = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

``NAME.key`` has the public key, and may be given to anybody. ``NAME.key_secret`` has both keys.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from .._security import z85_decode
from ..zmtp import KeyPair

_LONGEST: Final = 64 * 1024  # bytes; a certificate has some hundreds
_LINE: Final = re.compile(r"(?P<indent>[ \t]*)(?P<name>[A-Za-z0-9/$@_.&+-]+)[ \t]*(?:=[ \t]*(?P<value>.*))?")
_NAME: Final = re.compile(r"[A-Za-z0-9/$@_.&+-]{1,255}")
_PUBLIC: Final = """\
#   ZeroMQ CURVE public certificate, by triomq.
#   Bring it to the other side in a way that nobody can change it on.

"""
_SECRET: Final = """\
#   ZeroMQ CURVE **secret** certificate, by triomq.
#   Give this file to nobody, and do not change its permissions.

"""


@attrs.frozen
class Certificate:
    """What a certificate file holds.

    Attributes:
      public_key: 32 bytes.
      keypair: both keys, if the file has the secret one; None otherwise.
      metadata: what the file says of the owner.
    """

    public_key: bytes
    keypair: KeyPair | None = None
    metadata: Mapping[str, str] = attrs.field(factory=dict)


def read_certificate(path: str | os.PathLike[str]) -> Certificate:
    """Read a certificate, public or secret, of triomq, pyzmq or czmq.

    Raises:
      OSError: the file cannot be read.
      ValueError: it is no certificate. The text does not show a key.
      ImportError: it has a secret key, and PyNaCl is not installed.
    """
    with Path(path).open("rb") as file:
        data = file.read(_LONGEST + 1)
    try:
        if len(data) > _LONGEST:
            raise ValueError(f"it has more than {_LONGEST} bytes")
        return _parse(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no certificate: it is no text") from None
    except ValueError as exc:
        raise ValueError(f"{path} is no certificate: {exc}") from None


def _parse(text: str) -> Certificate:
    sections: dict[str, dict[str, str]] = {"metadata": {}, "curve": {}}
    section: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"line {number} is neither a name nor 'name = value'")
        if not match["indent"]:
            section = sections.setdefault(match["name"], {})
        elif match["value"] is not None:
            section[match["name"]] = _unquoted(match["value"])
    keys = sections["curve"]
    if "public-key" not in keys:
        raise ValueError("there is no public-key under curve")
    metadata = sections["metadata"]
    if "secret-key" in keys:
        keypair = KeyPair(keys["public-key"], keys["secret-key"])
        return Certificate(keypair.public_key, keypair, metadata)
    public_key = z85_decode(keys["public-key"])
    if len(public_key) != 32:
        raise ValueError(f"the public-key has {len(public_key)} bytes, not 32")
    return Certificate(public_key, None, metadata)


def _unquoted(value: str) -> str:
    """A value without its quotes, or without the comment behind it."""
    if value[:1] in ("'", '"') and value[0] in value[1:]:
        return value[1 : value.index(value[0], 1)]
    return value.partition(" #")[0].strip()


def write_certificates(
    directory: str | os.PathLike[str],
    name: str,
    keypair: KeyPair | None = None,
    metadata: Mapping[str, str] | None = None,
    *,
    overwrite: bool = False,
) -> tuple[Path, Path]:
    """Write ``NAME.key`` and ``NAME.key_secret``. The secret one can be read by its owner alone (mode 0600).

    What fails leaves no half file behind.

    Args:
      directory: must be there.
      name: of the files, without the ending.
      keypair: what to write; None makes a new one.
      metadata: of the owner: names of letters, digits and ``-_.+/$@&``; values of one line without ``"``.
      overwrite: replace files that are there.
    Returns: the paths of the public and of the secret certificate.
    Raises:
      FileExistsError: one of the files is there, and ``overwrite`` is not set.
      OSError: they cannot be written.
      ValueError: the name or the metadata is not as it must be.
      ImportError: PyNaCl is not installed.
    """
    if not name or name in (".", "..") or "\0" in name or Path(name).name != name:
        raise ValueError(f"write_certificates(name={name!r}): it is the name of a file, without a directory")
    keypair = KeyPair.generate() if keypair is None else keypair
    head = _metadata_lines(metadata or {})
    curve = f'curve\n    public-key = "{keypair.public_text}"\n'
    public, secret = Path(directory, f"{name}.key"), Path(directory, f"{name}.key_secret")
    texts = {
        secret: (f'{_SECRET}{head}{curve}    secret-key = "{keypair.secret_text}"\n', 0o600),
        public: (f"{_PUBLIC}{head}{curve}", 0o644),
    }
    for path in texts:
        if not overwrite and os.path.lexists(path):
            raise FileExistsError(f"{path} is there already; its keys may be in use")
    for path, (text, mode) in texts.items():
        _write(path, text, mode, overwrite=overwrite)
    return public, secret


def _metadata_lines(metadata: Mapping[str, str]) -> str:
    lines = ["metadata\n"]
    for name, value in metadata.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(f"metadata {name!r}: a name has letters, digits and -_.+/$@& only")
        if not isinstance(value, str) or not value.isprintable() or '"' in value:
            raise ValueError(f"metadata {name}={value!r}: a value is one line of text without a double quote")
        lines.append(f'    {name} = "{value}"\n')
    return "".join(lines)


def _write(path: Path, text: str, mode: int, *, overwrite: bool) -> None:
    """Write a file that is nobody else's to read, not even for a moment, and is there whole or not at all."""
    place = path.with_name(f"{path.name}.new") if overwrite else path
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        if overwrite:
            place.replace(path)
    except BaseException:
        place.unlink(missing_ok=True)
        raise
