"""The command line: ``triomq`` and ``python -m triomq``. It uses what a user could use, and nothing else."""

from __future__ import annotations

from ._main import main

__all__ = ["main"]
