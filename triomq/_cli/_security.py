"""Keys and passwords for commands, from files: every user of the machine can read a command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .. import Curve, KeyPair, Plain
from .._security import Security
from ..auth import CertificateDirectory, read_certificate
from ._exits import Failure, UsageError, describe

_MOST = 1_000_000  # bytes of a file with passwords


def add_security(parser: Any, *, serves: bool) -> None:
    """Add the arguments that say how connections are secured.

    Args:
      serves: the command may be the server of the mechanism, too.
    """
    group = parser.add_argument_group("security")
    group.add_argument("--server-key", type=Path, metavar="FILE",
                       help="encrypt by CURVE, and talk to the server with this public certificate alone")  # fmt: skip
    own = "; without --server-key, be the server" if serves else ""
    group.add_argument("--keys", type=Path, metavar="FILE",
                       help=f"this side's own secret certificate (default: one that nobody knows){own}")  # fmt: skip
    group.add_argument("--login", type=Path, metavar="FILE",
                       help="log in by PLAIN; the file has one line, NAME=PASSWORD")  # fmt: skip
    if serves:
        group.add_argument("--clients", type=Path, metavar="DIRECTORY",
                           help="let in only who has one of these public certificates (*.key)")  # fmt: skip
        group.add_argument("--users", type=Path, metavar="FILE",
                           help="let in by PLAIN; the file has a line NAME=PASSWORD for each")  # fmt: skip


def read_mechanism(given: argparse.Namespace) -> Security | None:
    """The mechanism that the arguments ask for.

    Raises:
      UsageError: they contradict each other.
      Failure: a file cannot be read, or is not what it should be.
    """
    arguments = vars(given)
    server_key, keys, login = (arguments.get(name) for name in ("server_key", "keys", "login"))
    clients, users = arguments.get("clients"), arguments.get("users")
    if (bool(server_key or keys) + bool(login) + bool(users)) > 1:
        raise UsageError("--server-key and --keys, --login, --users: each is a mechanism; give one of them")
    if clients and (not keys or server_key):
        raise UsageError("--clients is for a server: give its own keys by --keys, and no --server-key")
    try:
        if server_key:
            own = None if keys is None else _secret(keys)
            return Curve(read_certificate(server_key).public_key, own)
        if keys and "clients" not in arguments:
            raise UsageError("--keys needs --server-key: this command is a client")
        if keys:
            return Curve.server(_secret(keys), clients=CertificateDirectory(clients).keys if clients else None)
        if login:
            (pair,) = _passwords(login, most=1).items()
            return Plain(*pair)
        return Plain.server(_passwords(users)) if users else None
    except (OSError, ValueError, ImportError) as exc:
        raise Failure(describe(exc)) from exc


def _secret(path: Path) -> KeyPair:
    keypair = read_certificate(path).keypair
    if keypair is None:
        raise Failure(f"{path} has no secret key; give the file that ends in .key_secret")
    return keypair


def _passwords(path: Path, most: int | None = None) -> dict[str, str]:
    """The lines ``name=password`` of a file, as czmq and pyzmq have them. No error shows one."""
    with path.open("rb") as file:
        text = file.read(_MOST + 1)
    found: dict[str, str] = {}
    for number, line in enumerate(text.decode("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, separator, password = line.partition("=")
        if not separator or not name.strip():
            raise ValueError(f"{path}: line {number} is not NAME=PASSWORD")
        found[name.strip()] = password.strip()
    if len(text) > _MOST or not found or len(found) > (most or len(found)):
        wanted = f"{most} line" if most else f"lines, and up to {_MOST} bytes"
        raise ValueError(f"{path}: it should have {wanted} of NAME=PASSWORD")
    return found
