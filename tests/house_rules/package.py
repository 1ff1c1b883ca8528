"""Reading the package: what every rule needs."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "triomq"


def modules(package: Path) -> dict[str, ast.Module]:
    """Every module below a package, as ``zmtp._frames`` or, for a package's own, ``zmtp``."""
    return {name: _parse(path.read_text("utf-8")) for name, path in files(package).items()}


@functools.cache
def _parse(source: str) -> ast.Module:
    """The tree of a source, which nobody changes: every rule looks at the whole package."""
    return ast.parse(source)


def files(package: Path) -> dict[str, Path]:
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        found[name] = path
    return found
