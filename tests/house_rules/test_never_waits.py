"""The rooms that never wait: `zmtp`, `pgm`, `_pipes` and `_patterns` know no trio, and hold no task up."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from .package import PACKAGE, modules

NEVER_WAIT = ("zmtp", "pgm", "_pipes", "_patterns")

# What brings tasks, or waits without them; an import for type checkers alone counts too.
WHAT_WAITS = {
    "trio", "asyncio", "anyio", "sniffio", "outcome", "selectors", "select", "socket", "ssl", "threading", "queue",
    "concurrent", "multiprocessing", "subprocess", "time",
}  # fmt: skip


def faults_of_waiting(package: Path) -> list[str]:
    return [
        f"{name}:{line}: {what}"
        for name, tree in modules(package).items()
        if name.partition(".")[0] in NEVER_WAIT
        for line, what in _waits(tree)
    ]


def _waits(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported = [node.module or ""]
        else:
            imported = []
        for name in imported:
            if name.partition(".")[0] in WHAT_WAITS:
                yield node.lineno, f"import {name}"
        if isinstance(node, ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith | ast.Await):
            yield node.lineno, type(node).__name__
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            if any(generator.is_async for generator in node.generators):
                yield node.lineno, "async comprehension"


# -- the rule holds ----------------------------------------------------------------------------------


def test_the_package_keeps_the_rule() -> None:
    assert faults_of_waiting(PACKAGE) == []


@pytest.mark.parametrize("room", NEVER_WAIT)
def test_the_rule_sees_what_there_is(room: str) -> None:
    """Or it would hold of nothing."""
    assert len([name for name in modules(PACKAGE) if name.partition(".")[0] == room]) >= 8


# -- the rule has teeth ------------------------------------------------------------------------------

PLACES = ("zmtp/_frames.py", "_pipes/_pipe.py", "_patterns/__init__.py", "_patterns/_deep/_module.py")


@pytest.mark.parametrize("module", PLACES)
@pytest.mark.parametrize(
    "source",
    [
        "import trio",
        "import attrs, trio.lowlevel",
        "import trio as t",
        "from trio import Event",
        "from trio.lowlevel import checkpoint",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import trio",
        "def late():\n    import trio",
        "try:\n    import trio\nexcept ImportError:\n    trio = None",
        "import asyncio",
        "from threading import Lock",
        "import time",
        "async def f(): ...",
        "class C:\n    async def f(self): ...",
        "def f():\n    return [x async for x in y]",
        "def f():\n    return (x async for x in y)",
        "await x",
    ],
)
def test_a_planted_wait_is_found(plant, module: str, source: str) -> None:
    plant("_patterns/__init__.py", "")
    assert len(faults_of_waiting(plant(module, source))) == 1


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("await x", ["AsyncFunctionDef", "Await"]),
        ("async with x: ...", ["AsyncFunctionDef", "AsyncWith"]),
        ("async for y in x: ...", ["AsyncFunctionDef", "AsyncFor"]),
    ],
)
def test_every_planted_wait_of_a_function_is_found(plant, statement: str, what: list[str]) -> None:
    faults = faults_of_waiting(plant("_pipes/_pipe.py", f"async def f():\n    {statement}"))
    assert [fault.rpartition(" ")[2] for fault in faults] == what


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("_pipes/_pipe.py", "from collections.abc import Awaitable\nfrom . import time\nfrom .trio import x"),
        ("_pipes/_pipe.py", "def wait(self) -> Awaitable[None]:\n    '''await trio'''\n    return [x for x in y]"),
        ("_connections/_session.py", "import trio\nasync def f(): await trio.sleep(1)"),
        ("_errors.py", "import trio"),
    ],
)
def test_what_does_not_wait_or_may_is_not_found(plant, module: str, source: str) -> None:
    assert faults_of_waiting(plant(module, source)) == []
