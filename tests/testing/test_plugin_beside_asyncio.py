"""Beside pytest-asyncio, a test of a virtual network says whose it is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from triomq.testing.pytest_plugin import _is_asyncios


class Project:
    """The configuration of a project that has pytest-asyncio, or not."""

    def __init__(self, installed: bool, option: str | None, ini: object) -> None:
        self.pluginmanager = SimpleNamespace(has_plugin=lambda name: installed and name == "asyncio")
        self._option, self._ini = option, ini

    def getoption(self, name: str, default: object) -> object:
        return self._option or default

    def getini(self, name: str) -> object:
        return self._ini


@pytest.mark.parametrize(
    ("project", "marked", "theirs"),
    [
        (Project(False, None, ""), True, False),
        (Project(True, None, "strict"), False, False),
        (Project(True, None, "strict"), True, True),
        (Project(True, None, "auto"), False, True),
        (Project(True, "auto", "strict"), False, True),
        (Project(True, "strict", "auto"), False, False),
        (Project(True, None, SimpleNamespace(value="auto")), False, True),
    ],
)
def test_whether_pytest_asyncio_takes_a_test(project: Any, marked: bool, theirs: bool) -> None:
    item: Any = SimpleNamespace(get_closest_marker=lambda name: object() if marked and name == "asyncio" else None)
    assert _is_asyncios(project, item) is theirs
