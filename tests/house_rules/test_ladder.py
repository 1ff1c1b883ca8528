"""Who may import whom; and the protocol has neither I/O nor a clock.

Each rule is a function of a directory that returns what it found, so that it can be shown a planted fault.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from .package import PACKAGE, files, modules, walk_at_run_time

# The rooms, from the top. A module belongs to the first room with a pattern for it.
ROOMS: dict[str, list[str]] = {
    "testing": ["testing", "testing.*"],
    "front": ["__init__", "__main__", "_demo*"],
    "patterns": ["_proxy", "_merge"],
    "context": ["_context"],
    "sockets": ["_sockets", "_sockets.*"],
    "connections": ["_session", "_reader", "_writer", "_dialer", "_acceptor", "_inproc", "_awaited_stream"],
    "routing": ["_routing", "_routing.*"],
    "pipe": ["_pipe", "_session_pipe", "_tail"],
    "transports": ["_transports", "_transports.*"],
    "zmtp": ["zmtp", "zmtp.*"],
    "runtime": ["_runtime", "_end_of_turn"],
    "leafs": ["_errors", "_message", "_options", "_endpoint", "_statistics", "_monitor", "_version", "abc"],
}

# What each room may import besides itself, trio, attrs and the standard library: another room, or one module of it.
MAY_IMPORT: dict[str, list[str]] = {
    "testing": ["front", "context", "sockets", "connections", "transports", "zmtp", "leafs", "pytest"],
    "front": ["patterns", "context", "sockets", "connections", "routing", "pipe", "transports", "zmtp", "leafs"],
    "patterns": ["context", "sockets", "leafs"],
    "context": ["sockets", "connections", "pipe", "transports", "zmtp", "runtime", "leafs"],
    "sockets": ["connections", "routing", "pipe", "transports", "zmtp", "runtime", "leafs"],
    "connections": ["pipe", "transports", "zmtp", "runtime", "leafs"],
    "routing": ["pipe", "zmtp", "leafs"],
    "pipe": ["leafs"],
    "transports": ["leafs"],
    "zmtp": ["triomq._errors", "triomq._message"],
    "runtime": ["leafs"],
    "leafs": [],
}
OTHERS = {"trio", "attrs"}

# The protocol has no I/O and no clock.
NEVER_IN_ZMTP = {"trio", "socket", "select", "selectors", "ssl", "time", "datetime", "logging", "random", "threading"}


def imports(name: str, tree: ast.Module, known: Iterable[str], packages: set[str]) -> Iterator[tuple[int, str]]:
    """What a module imports: ``triomq.<module>`` for ours, the top-level name for others'."""
    here = name.split(".") if name in packages else name.split(".")[:-1]
    for node in walk_at_run_time(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = here[: len(here) - node.level + 1]
                base = ".".join(["triomq", *above, *([node.module] if node.module else [])])
            # `from .zmtp import _frames` imports a module; `from .zmtp import Connection` a name.
            targets = [
                f"{base}.{alias.name}" if f"{base}.{alias.name}".removeprefix("triomq.") in known else base
                for alias in node.names
            ]
        else:
            continue
        for target in targets:
            top, _, rest = target.partition(".")
            if top == "triomq":
                yield node.lineno, "triomq." + (rest or "__init__")
            else:
                yield node.lineno, top


def room_of(module: str) -> str | None:
    for room, patterns in ROOMS.items():
        if any(fnmatchcase(module, pattern) for pattern in patterns):
            return room
    return None


def ladder_faults(package: Path) -> list[str]:
    faults = []
    trees = modules(package)
    packages = {parent for name in trees for parent in [name.rpartition(".")[0]] if parent}
    packages |= {name for name, path in files(package).items() if path.name == "__init__.py" and name != "__init__"}
    known = packages | set(trees)
    for name, tree in trees.items():
        room = room_of(name)
        if room is None:
            faults.append(f"{name}: has no room; add it to ROOMS")
            continue
        allowed = {room, *MAY_IMPORT[room]} | (OTHERS - NEVER_IN_ZMTP if room == "zmtp" else OTHERS)
        for line, target in imports(name, tree, known, packages):
            if target in sys.stdlib_module_names:
                continue
            if target.startswith("triomq."):
                their_room = room_of(target.removeprefix("triomq."))
                if their_room in allowed or target in allowed:
                    continue
                faults.append(f"{name}:{line}: {room} may not import {target} ({their_room})")
            elif target not in allowed:
                faults.append(f"{name}:{line}: {room} may not import {target}")
    return faults


def zmtp_faults(package: Path) -> list[str]:
    return [
        f"{name}:{line}: the protocol may not import {target}"
        for name, tree in modules(package).items()
        if room_of(name) == "zmtp"
        for line, target in imports(name, tree, (), set())
        if target in NEVER_IN_ZMTP
    ]


# -- the rules hold ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [ladder_faults, zmtp_faults], ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule) -> None:
    assert rule(PACKAGE) == []


def test_the_ladder_has_no_way_up() -> None:
    """The table itself: a room imports only rooms that stand below it."""
    order = list(ROOMS)
    for room, allowed in MAY_IMPORT.items():
        for other in allowed:
            assert other not in order or order.index(other) > order.index(room), (room, other)
    assert list(MAY_IMPORT) == order


# -- the rules have teeth ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("_pipe.py", "from ._context import Context"),
        ("_pipe.py", "from . import _context"),
        ("_pipe.py", "import triomq"),
        ("_pipe.py", "from . import open_context"),
        ("_pipe.py", "import triomq._context as c"),
        ("_pipe.py", "def late():\n    from triomq import _context"),
        ("_pipe.py", "import zmq"),
        ("zmtp/_frames.py", "from .. import _pipe"),
        ("zmtp/_frames.py", "from .._pipe import Pipe"),
        ("zmtp/_frames.py", "from .._options import Options"),
        ("zmtp/__init__.py", "from ._frames import x\nfrom .._sockets import y"),
        ("_errors.py", "from ._pipe import Pipe"),
        ("_sockets/__init__.py", "from .._context import Context"),
        ("_stray.py", ""),
        ("__init__.py", "from . import testing"),
        ("_context.py", "from .testing import VirtualNetwork"),
    ],
)
def test_a_planted_import_is_found(plant, module: str, source: str) -> None:
    assert len(ladder_faults(plant(module, source))) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "_context.py",
            "from . import _errors, _pipe\nfrom .zmtp import _frames, Connection\nimport trio, attrs, math",
        ),
        ("_pipe.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ._context import Context"),
        ("zmtp/_frames.py", "from . import Connection\nfrom .._errors import ZmqError\nimport struct"),
        ("__init__.py", "from ._context import open_context as open_context"),
    ],
)
def test_a_lawful_import_is_not_found(plant, module: str, source: str) -> None:
    assert ladder_faults(plant(module, source)) == []


@pytest.mark.parametrize(
    "source", ["import time", "import trio", "from socket import socket", "from logging import INFO"]
)
def test_a_planted_clock_in_the_protocol_is_found(plant, source: str) -> None:
    assert len(zmtp_faults(plant("zmtp/_frames.py", source))) == 1
