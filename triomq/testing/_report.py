"""What the report of a failed test says of its network, and the file with the diagram."""

from __future__ import annotations

import hashlib
import re
import shlex
from pathlib import Path
from typing import Final

from ._network import VirtualNetwork

_SHOWN: Final = 60  # rows of the diagram in a report
_LONGEST_NAME: Final = 100  # characters of a test's name in the name of a file


def how_to_repeat(nodeid: str, seed: int) -> str:
    """The seed, and the command that runs the test with it."""
    return f"seed {seed}; to run it again: pytest {shlex.quote(nodeid)} --triomq-seed={seed}"


def describe(network: VirtualNetwork) -> str:
    """The last part of the diagram as text; or of the trace, if drawing the diagram fails."""
    try:
        return network.diagram(limit=_SHOWN).text()
    except Exception as exc:  # the report must show the failure of the test, not one of the diagram
        lines = network.trace().splitlines()[-_SHOWN:]
        return "\n".join([f"(a bug of triomq: no diagram, {exc!r})", *lines])


def file_name(nodeid: str) -> str:
    """A name for the diagram of a test: readable, valid on every system, and different for every test."""
    words = re.sub(r"[^A-Za-z0-9._=-]+", "-", nodeid).strip("-.")[-_LONGEST_NAME:].lstrip("-.")
    return f"{words}-{hashlib.sha256(nodeid.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}.svg"


def save(network: VirtualNetwork, nodeid: str, directory: Path) -> tuple[Path | None, str]:
    """Write the whole diagram to a file.

    Returns: its path, and a text that says where it is; or None, and why it is not there.
    """
    path = directory / file_name(nodeid)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        network.diagram(limit=1000, title=f"{nodeid}, seed {network.seed}").save(path)
    except Exception as exc:  # as above
        return None, f"not written: {exc!r}"
    return path, str(path)
