"""The bench is not installed: it comes from the checkout, and behind everything else, so that triomq does not."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[2])

if _ROOT not in sys.path:
    sys.path.append(_ROOT)
