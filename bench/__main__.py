"""The way in: ``python -m bench``, or ``python -P bench`` to measure the installed triomq, not the checkout's."""

from __future__ import annotations

import sys
from pathlib import Path


def _run() -> int:
    if not __package__:  # started by path: this folder leads sys.path; its parent shall end it instead
        sys.path[:] = [*sys.path[1:], str(Path(__file__).resolve().parent.parent)]
    from bench.command import main

    return main()


if __name__ == "__main__":
    sys.exit(_run())
