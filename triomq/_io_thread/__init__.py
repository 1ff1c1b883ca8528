"""Connections in a second trio run, in a thread of its own: they go on while the user's run computes."""

from __future__ import annotations

from ._carrier import carry_in
from ._run import IoRun

__all__ = ["IoRun", "carry_in"]
