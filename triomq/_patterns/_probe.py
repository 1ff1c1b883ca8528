"""The empty message of ``probe_router``."""

from __future__ import annotations

from typing import Final

from .._message import Frames
from .._options import Options
from .._pipes import Pipe

PROBE: Final[Frames] = (b"",)


def probe(pipe: Pipe, options: Options) -> None:
    """Send a new peer the empty message that lets a ROUTER know it, if the options ask for that."""
    if options.probe_router:
        pipe.greet(PROBE)
