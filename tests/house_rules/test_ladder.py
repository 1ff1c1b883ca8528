"""Who may import whom, and through which door; and the protocol has neither I/O nor a clock.

Each rule is a function of a directory that returns what it found, so that it can be shown a planted fault. An import
for type checkers alone counts like any other: whoever names a class has to know it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

import pytest

from .package import PACKAGE, files, modules

# The rooms, from the top: a folder, or the modules of a room that has no folder.
ROOMS: dict[str, list[str]] = {
    "_cli": ["_cli", "__main__"],
    "testing": ["testing"],
    "face": ["__init__", "abc"],
    "auth": ["auth"],
    "_tools": ["_tools"],
    "context": ["_context", "_opening"],
    "_logs": ["_logs"],
    "_io_thread": ["_io_thread"],
    "_sockets": ["_sockets"],
    "_patterns": ["_patterns"],
    "_connections": ["_connections"],
    "_pipes": ["_pipes"],
    "_transports": ["_transports"],
    "zmtp": ["zmtp"],
    "pgm": ["pgm"],
    "_runtime": ["_runtime"],
    "nouns": [
        "_advice",
        "_errors",
        "_forks",
        "_message",
        "_options",
        "_statistics",
        "_events",
        "_version",
        "_public",
        "_record",
        "_security",
    ],
}

# What each room may import besides itself, trio, attrs and the standard library: another room, or one module of it.
MAY_IMPORT: dict[str, list[str]] = {
    "_cli": ["testing", "face", "auth", "_transports", "zmtp", "pgm", "nouns", "rich"],
    "testing": ["triomq.abc", "context", "_sockets", "_transports", "zmtp", "nouns", "pytest"],
    "face": [
        "auth",
        "_tools",
        "context",
        "_sockets",
        "_connections",
        "_pipes",
        "_transports",
        "zmtp",
        "_runtime",
        "nouns",
    ],
    "auth": ["context", "_sockets", "zmtp", "nouns"],
    "_tools": ["context", "_sockets", "nouns"],
    "context": ["_logs", "_io_thread", "_sockets", "_connections", "_transports", "_runtime", "nouns"],
    "_logs": ["_sockets", "nouns"],
    "_io_thread": ["_sockets", "_patterns", "_connections", "_pipes", "zmtp", "_runtime", "nouns"],
    "_sockets": ["_patterns", "_connections", "_pipes", "_transports", "zmtp", "_runtime", "nouns"],
    "_patterns": ["_pipes", "zmtp", "nouns"],
    "_connections": ["_pipes", "_transports", "zmtp", "pgm", "_runtime", "nouns"],
    "_pipes": ["zmtp", "nouns"],
    "_transports": ["nouns"],
    "zmtp": ["triomq._errors", "triomq._message", "triomq._public", "triomq._record", "triomq._security"],
    "pgm": ["triomq._errors", "triomq._message"],
    "_runtime": ["nouns"],
    "nouns": [],
}
OTHERS = {"trio", "attrs"}
EXTRAS = {"zmtp._curve._sodium": {"nacl"}}  # modules that import an extra, when it is needed

# Who goes past a door, and why: a diagram reads what is on the wire piece by piece, with the protocol's own parts. A
# user of the protocol needs none of these.
LICENSED = {("testing._diagram._words", "zmtp")}

MOST_LOOSE = 10  # private modules that lie in the package itself, in no folder

# A protocol has no I/O and no clock; zmtp has no chance either, and that of pgm is given to it.
NEVER_IN_ZMTP = {"trio", "socket", "select", "selectors", "ssl", "time", "datetime", "logging", "random", "threading"}
NEVER_IN = {"zmtp": NEVER_IN_ZMTP, "pgm": NEVER_IN_ZMTP - {"random"}}


def imports(name: str, tree: ast.Module, known: Iterable[str], packages: set[str]) -> Iterator[tuple[int, str]]:
    """What a module imports: ``triomq.<module>`` for ours, the top-level name for others'."""
    here = name.split(".") if name in packages else name.split(".")[:-1]
    for node in ast.walk(tree):
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
    top = module.partition(".")[0]
    return next((room for room, places in ROOMS.items() if top in places), None)


def packages_of(package: Path) -> set[str]:
    return {name for name, path in files(package).items() if path.name == "__init__.py" and name != "__init__"} | {
        parent for name in files(package) for parent in [name.rpartition(".")[0]] if parent
    }


def ladder_faults(package: Path) -> list[str]:
    faults = []
    trees = modules(package)
    packages = packages_of(package)
    known = packages | set(trees)
    for name, tree in trees.items():
        room = room_of(name)
        if room is None:
            faults.append(f"{name}: has no room; add it to ROOMS")
            continue
        allowed = {room, *MAY_IMPORT[room]} | (OTHERS - NEVER_IN.get(room, set()))
        for line, target in imports(name, tree, known, packages):
            if target in sys.stdlib_module_names:
                continue
            if target.startswith("triomq."):
                their_room = room_of(target.removeprefix("triomq."))
                if their_room in allowed or target in allowed:
                    continue
                faults.append(f"{name}:{line}: {room} may not import {target} ({their_room})")
            elif target not in allowed and target not in EXTRAS.get(name, ()):
                faults.append(f"{name}:{line}: {room} may not import {target}")
    return faults


def door_faults(package: Path, licensed: Container[tuple[str, str]] = LICENSED) -> list[str]:
    """Imports from a module inside another room, past the room's door, which is its ``__init__``."""
    faults = []
    trees, packages = modules(package), packages_of(package)
    for name, tree in trees.items():
        for line, target in imports(name, tree, packages | set(trees), packages):
            theirs = target.removeprefix("triomq.")
            if target.startswith("triomq.") and "." in theirs and room_of(theirs) != room_of(name):
                door = theirs.partition(".")[0]
                if (name, door) not in licensed:
                    faults.append(f"{name}:{line}: {target} is behind a door: import it from triomq.{door}")
    return faults


def loose_modules(package: Path) -> list[str]:
    """The private modules that lie in no folder."""
    packages = packages_of(package)
    return [name for name in files(package) if "." not in name and name not in packages and not name.endswith("__")]


def protocol_faults(package: Path) -> list[str]:
    return [
        f"{name}:{line}: the protocol may not import {target}"
        for name, tree in modules(package).items()
        for line, target in imports(name, tree, (), set())
        if target in NEVER_IN.get(room_of(name) or "", ())
    ]


# -- the rules hold ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [ladder_faults, door_faults, protocol_faults], ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule) -> None:
    assert rule(PACKAGE) == []


def test_every_licence_is_used() -> None:
    assert {fault.partition(":")[0] for fault in door_faults(PACKAGE, licensed=())} == {name for name, _ in LICENSED}


def test_few_modules_lie_loose() -> None:
    loose = [name for name in loose_modules(PACKAGE) if name.startswith("_")]
    assert 0 < len(loose) <= MOST_LOOSE, loose


def test_the_ladder_has_no_way_up() -> None:
    """The table itself: a room imports only rooms that stand below it."""
    order = list(ROOMS)
    for room, allowed in MAY_IMPORT.items():
        for other in allowed:
            assert other not in order or order.index(other) > order.index(room), (room, other)
    assert list(MAY_IMPORT) == order


# -- the rules have teeth ----------------------------------------------------------------------------

TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("_pipes/_pipe.py", "from .._context import Context"),
        ("_pipes/_pipe.py", "from .. import _context"),
        ("_pipes/_pipe.py", "import triomq"),
        ("_pipes/_pipe.py", "from .. import open_context"),
        ("_pipes/_pipe.py", "import triomq._context as c"),
        ("_pipes/_pipe.py", "def late():\n    from triomq import _context"),
        ("_pipes/_pipe.py", TYPES + "from .._context import Context"),
        ("_errors.py", TYPES + "from ._pipes import Pipe"),
        ("zmtp/_frames.py", TYPES + "from .. import _pipes"),
        ("_pipes/_pipe.py", "import zmq"),
        ("zmtp/_frames.py", "from .. import _pipes"),
        ("zmtp/_frames.py", "from .._pipes import Pipe"),
        ("zmtp/_frames.py", "from .._options import Options"),
        ("zmtp/__init__.py", "from ._frames import x\nfrom .._sockets import y"),
        ("_errors.py", "from ._pipes import Pipe"),
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
            "from . import _errors, _sockets\nfrom ._connections import Session\nimport trio, attrs, math",
        ),
        ("_connections/_session.py", TYPES + "from .._pipes import Pipe"),
        ("zmtp/_frames.py", "from . import Connection\nfrom .._errors import ZmqError\nimport struct"),
        ("__init__.py", "from ._context import open_context as open_context"),
    ],
)
def test_a_lawful_import_is_not_found(plant, module: str, source: str) -> None:
    package = plant(module, source)
    assert ladder_faults(package) == door_faults(package) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("_connections/_session.py", "from .._pipes._pipe import Pipe"),
        ("_connections/_session.py", "from .._pipes import _pipe"),
        ("_connections/_session.py", "import triomq._pipes._pipe"),
        ("_connections/_session.py", "def late():\n    from triomq._pipes._pipe import Pipe"),
        ("_connections/_session.py", TYPES + "from .._pipes._pipe import Pipe"),
        ("_context.py", "from ._connections._session import Session"),
        ("__init__.py", "from .zmtp._frames import x"),
    ],
)
def test_a_planted_import_past_a_door_is_found(plant, module: str, source: str) -> None:
    package = plant(module, source)
    assert len(door_faults(package)) == 1
    assert ladder_faults(package) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("_connections/_session.py", "from ._carrier import Carrier\nfrom . import _session"),
        ("_connections/_session.py", "from .._pipes import Pipe\nfrom .. import _pipes\nimport triomq._pipes"),
        ("_connections/_session.py", "from .._errors import ZmqError\nfrom ..zmtp import PeerInfo\nimport os.path"),
    ],
)
def test_an_import_through_a_door_is_not_found(plant, module: str, source: str) -> None:
    assert door_faults(plant(module, source)) == []


def test_a_planted_loose_module_is_counted(plant) -> None:
    before = loose_modules(plant("_pipes/_pipe.py", ""))
    assert loose_modules(plant("_stray.py", "")) == sorted([*before, "_stray"])
    assert before == ["_context", "_errors"]


@pytest.mark.parametrize(
    "source", ["import time", "import trio", "from socket import socket", "from logging import INFO"]
)
def test_a_planted_clock_in_the_protocol_is_found(plant, source: str) -> None:
    assert len(protocol_faults(plant("zmtp/_frames.py", source))) == 1
