"""A place to plant faults in."""

from __future__ import annotations

from pathlib import Path

import pytest

OTHER_MODULES = [
    "__init__", "_pipes/__init__", "_pipes/_pipe", "_context", "_connections/__init__", "_connections/_session",
    "zmtp/__init__", "zmtp/_frames", "_errors", "_sockets/__init__", "testing/__init__", "testing/_determinism",
]  # fmt: skip


@pytest.fixture
def plant(tmp_path: Path):
    """Write one module of a package that has a few others, and return the package."""

    def write(name: str, source: str) -> Path:
        for other in OTHER_MODULES:
            path = tmp_path / f"{other}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text('"""A module."""\n')
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)
        return tmp_path

    return write
