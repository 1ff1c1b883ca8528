"""``triomq keygen``: keys of CURVE, in files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from .. import KeyPair
from ..auth import write_certificates
from ._arguments import Parser
from ._exits import DONE, FAILED, USAGE, Teller, describe


def add_keygen(commands: Any) -> None:
    """Add the command ``keygen``."""
    parser: Parser = commands.add_parser(
        "keygen",
        help="make keys for CURVE, in two files",
        usage="triomq keygen NAME [options]",
        description="Make a key pair for CURVE, and write two certificates: NAME.key, for everybody, and "
        "NAME.key_secret, which only you can read. pyzmq and czmq read both. The public key is printed.",
        epilog="examples:\n  triomq keygen server\n  triomq keygen joe -C clients --metadata email=joe@example.org\n"
        "  triomq rep -b tcp://*:5555 --echo --keys server.key_secret --clients clients\n"
        "  triomq req -c tcp://127.0.0.1:5555 -D hello --server-key server.key --keys clients/joe.key_secret\n\n"
        "Exit codes: 0 done, 1 the files were not written, 64 wrong arguments.",
    )
    parser.add_argument("key_name", metavar="NAME", help="of the files, without the ending")
    parser.add_argument("-C", "--directory", type=Path, default=Path(), metavar="DIRECTORY",
                        help="where to write them (default: here)")  # fmt: skip
    parser.add_argument("--metadata", action="append", default=[], metavar="NAME=VALUE",
                        help="what the certificates say of the owner; may be given several times")  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="replace files of this name, and lose their keys")
    parser.set_defaults(run=_run_keygen, verbose=0)


def _run_keygen(given: argparse.Namespace) -> int:
    teller = Teller("keygen")
    pairs = [text.partition("=") for text in given.metadata]
    metadata = {name.strip(): value.strip() for name, separator, value in pairs if separator}
    if len(metadata) != len(pairs):
        teller.tell("--metadata takes NAME=VALUE, each NAME once", at=-1)
        return USAGE
    if Path(given.key_name).name != given.key_name:
        teller.tell(f"NAME is the name of a file, without a directory, not {given.key_name!r}; -C says where", at=-1)
        return USAGE
    try:
        keypair = KeyPair.generate()
        public, secret = write_certificates(
            given.directory, given.key_name, keypair, metadata, overwrite=given.overwrite
        )
    except ValueError as exc:
        teller.tell(str(exc), at=-1)
        return USAGE
    except FileExistsError as exc:
        teller.tell(f"{describe(exc)}; take another name, or --overwrite", at=-1)
        return FAILED
    except (OSError, ImportError) as exc:
        teller.tell(describe(exc), at=-1)
        return FAILED
    teller.tell(f"{public} is for everybody, {secret} for you alone")
    sys.stdout.write(f"{keypair.public_text}\n")
    return DONE
