"""The rooms inside `triomq.testing`: who may import whom, by which door, and never in a circle; and no private names.

What is imported for type checkers alone counts like any other import: whoever names a class has to know it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .package import PACKAGE, files, modules
from .test_ladder import imports

# The rooms, from the top: a folder with a door, or loose modules. The face of `triomq.testing` is its `__init__`.
ROOMS: dict[str, list[str]] = {
    "face": ["__init__"],
    "plugin": ["pytest_plugin", "_report"],
    "_contracts": ["_contracts"],
    "_network": ["_network"],
    "_diagram": ["_diagram"],
    "nouns": ["_recorder", "_determinism", "_times"],
}

# What each room may import of the others. The face knows nothing of the plugin, which needs pytest.
MAY_IMPORT: dict[str, list[str]] = {
    "face": ["_contracts", "_network", "_diagram", "nouns"],
    "plugin": ["_network", "nouns"],
    "_contracts": ["nouns"],
    "_network": ["_diagram", "nouns"],
    "_diagram": ["nouns"],
    "nouns": [],
}

# The one private attribute of others that testing uses, and where: only so can a seed govern trio's order of tasks.
LICENSED = {("testing._determinism", "_counter")}


def room_of(module: str) -> str | None:
    """The room of a module that is named from `triomq` on, such as ``testing._network._link``."""
    place = module.removeprefix("testing").strip(".").partition(".")[0] or "__init__"
    return next((room for room, places in ROOMS.items() if place in places), None)


def imports_of_testing(package: Path) -> Iterator[tuple[str, int, str]]:
    """Every import of testing by testing: the module, the line, the module imported; those for types too."""
    trees = modules(package)
    packages = {name for name, path in files(package).items() if path.name == "__init__.py"}
    packages |= {name.rpartition(".")[0] for name in trees}
    for name, tree in trees.items():
        if name.partition(".")[0] == "testing":
            for line, target in imports(name, tree, packages | set(trees), packages):
                if target.removeprefix("triomq.").partition(".")[0] == "testing":
                    yield name, line, target.removeprefix("triomq.")


def room_faults(package: Path) -> list[str]:
    faults = [
        f"{name}: has no room; add it to ROOMS"
        for name in modules(package)
        if name.partition(".")[0] == "testing" and room_of(name) is None
    ]
    for name, line, target in imports_of_testing(package):
        mine, theirs = room_of(name), room_of(target)
        if mine is None or mine == theirs:
            continue
        if theirs not in MAY_IMPORT[mine]:
            faults.append(f"{name}:{line}: {mine} may not import {target} ({theirs})")
        elif target.count(".") > 1:
            faults.append(f"{name}:{line}: {target} is behind the door of {theirs}: import it from there")
    return faults


def circle_faults(package: Path) -> list[str]:
    """One circle for each module from which one is found, as ``a > b > a``."""
    known: dict[str, list[str]] = {}
    for name, _, target in imports_of_testing(package):
        known.setdefault(name, []).append(target)
    faults = []
    done: set[str] = set()

    def walk(way: list[str]) -> None:
        for target in known.get(way[-1], ()):
            if target in way:
                faults.append(" > ".join([*way[way.index(target) :], target]))
            elif target not in done:
                walk([*way, target])
        done.add(way[-1])

    for name in known:
        if name not in done:
            walk([name])
    return faults


def order_faults(package: Path) -> list[str]:
    """What the list in a door's docstring tells of the modules behind it, and is not so."""
    faults = []
    trees = modules(package)
    found = list(imports_of_testing(package))
    for door in sorted({name.rpartition(".")[0] for name in trees if name.count(".") == 2} & set(trees)):
        if not door.startswith("testing."):
            continue
        listed = re.findall(r"^    (_\w+) ", ast.get_docstring(trees[door], clean=False) or "", re.MULTILINE)
        there = {name.rpartition(".")[2] for name in trees if name.rpartition(".")[0] == door}
        faults += [f"{door}: {name} is not in its list" for name in sorted(there - set(listed))]
        faults += [f"{door}: {name} is in its list, but not there" for name in sorted(set(listed) - there)]
        if there != set(listed):
            continue
        for name, line, target in found:
            (room, _, mine), (their_room, _, theirs) = name.rpartition("."), target.rpartition(".")
            if room == their_room == door and listed.index(theirs) >= listed.index(mine):
                faults.append(f"{name}:{line}: {theirs} does not stand above {mine} in the list of {door}")
    return faults


def private_faults(package: Path) -> list[str]:
    """Attributes with an underscore that are reached for on an object which another room, or another package, made."""
    faults = []
    trees = {name: tree for name, tree in modules(package).items() if name.partition(".")[0] == "testing"}
    made: dict[str | None, set[str]] = {}
    for name, tree in trees.items():
        made.setdefault(room_of(name), set()).update(
            node.attr if isinstance(node, ast.Attribute) else node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            or (isinstance(node, ast.Attribute) and _is_own(node) and isinstance(node.ctx, ast.Store))
        )
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
                if not _is_own(node) and node.attr not in made[room_of(name)] and (name, node.attr) not in LICENSED:
                    faults.append(f"{name}:{node.lineno}: {ast.unparse(node)}")
    return faults


def _is_own(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


# -- the rules hold ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule", [room_faults, circle_faults, order_faults, private_faults], ids=lambda rule: rule.__name__
)
def test_testing_keeps_the_rule(rule) -> None:
    assert rule(PACKAGE) == []


def test_the_ladder_has_no_way_up() -> None:
    """The table itself: a room imports only rooms that stand below it."""
    order = list(ROOMS)
    for room, allowed in MAY_IMPORT.items():
        for other in allowed:
            assert order.index(other) > order.index(room), (room, other)
    assert list(MAY_IMPORT) == order


def test_the_rules_see_what_there_is() -> None:
    """Or they would hold of nothing."""
    seen = {name for name, _, _ in imports_of_testing(PACKAGE)}
    assert len(seen) > 30
    assert {"testing", "testing.pytest_plugin", "testing._network._stream", "testing._diagram._svg"} <= seen


# -- the rules have teeth ----------------------------------------------------------------------------

TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("testing/_recorder.py", "from ._network import VirtualNetwork"),
        ("testing/_recorder.py", TYPES + "from ._network import VirtualNetwork"),
        ("testing/_recorder.py", "import triomq.testing"),
        ("testing/_diagram/_svg.py", "from .._network import Partition"),
        ("testing/_diagram/_svg.py", "def late():\n    from triomq.testing import _network"),
        ("testing/_network/_link.py", "from .. import VirtualNetwork"),
        ("testing/_network/_link.py", TYPES + "from .._contracts import check_transport"),
        ("testing/_network/_network.py", "from .._diagram._svg import draw_svg"),
        ("testing/_contracts/_channels.py", "from .._network import VirtualNetwork"),
        ("testing/__init__.py", "from . import pytest_plugin"),
        ("testing/__init__.py", "from ._network._link import Link"),
        ("testing/_stray.py", ""),
        ("testing/_strays/__init__.py", ""),
    ],
)
def test_a_planted_import_is_found(plant, module: str, source: str) -> None:
    for place in "pytest_plugin", "_network/_link", "_diagram/_svg":
        plant(f"testing/{place}.py", "")
    assert len(room_faults(plant(module, source))) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("testing/_network/_network.py", "from .._diagram import Diagram\nfrom ._link import Link\nimport trio"),
        ("testing/_network/_link.py", TYPES + "from .._recorder import Kind"),
        (
            "testing/pytest_plugin.py",
            "from ..abc import Transport\nfrom ._network import VirtualNetwork\nimport pytest",
        ),
        ("testing/__init__.py", "from ._network import VirtualNetwork\nfrom ._determinism import fixed_schedule"),
        ("_pipes/_pipe.py", "from .. import _context"),  # another ladder's
    ],
)
def test_a_lawful_import_is_not_found(plant, module: str, source: str) -> None:
    package = plant(module, source)
    assert room_faults(package) == circle_faults(package) == []


@pytest.mark.parametrize("prefix", ["", TYPES, "def late():\n    "], ids=["at once", "for types", "late"])
def test_a_planted_circle_is_found(plant, prefix: str) -> None:
    plant("testing/_network/_link.py", "from ._stream import VirtualStream")
    package = plant("testing/_network/_stream.py", "from ._host import Host\nfrom ._agenda import Spot")
    assert circle_faults(package) == []
    plant("testing/_network/_host.py", prefix + "from ._link import Link")
    (fault,) = circle_faults(package)
    assert set(fault.split(" > ")) == {f"testing._network.{name}" for name in ("_link", "_stream", "_host")}
    plant("testing/_network/_agenda.py", prefix + "from . import _stream")
    assert len(circle_faults(package)) == 2


DOOR = '"""A room.\n\n    _agenda  when\n    _link    over what\n    _stream  its end\n"""\n'


def test_a_door_whose_list_is_true_is_not_found(plant) -> None:
    for name, source in ("_agenda", ""), ("_link", TYPES + "from ._agenda import Agenda"), ("_stream", ""):
        plant(f"testing/_network/{name}.py", source)
    assert order_faults(plant("testing/_network/__init__.py", DOOR + "from ._link import Link")) == []


@pytest.mark.parametrize(
    ("module", "source", "faults"),
    [
        ("_link", "from ._stream import VirtualStream", 1),
        ("_link", TYPES + "from ._stream import VirtualStream", 1),
        ("_stray", "", 1),
        ("__init__", '"""A room."""\n', 3),
        ("__init__", DOOR.replace("_link", "_gone"), 2),
    ],
)
def test_a_door_whose_list_is_not_true_is_found(plant, module: str, source: str, faults: int) -> None:
    for name in "_agenda", "_link", "_stream":
        plant(f"testing/_network/{name}.py", "")
    plant("testing/_network/__init__.py", DOOR)
    assert len(order_faults(plant(f"testing/_network/{module}.py", source))) == faults


@pytest.mark.parametrize(
    ("place", "source", "faults"),
    [
        ("_network/_watch", "def look(socket): return socket._past[2] + len(socket._pipes)", 2),
        ("_network/_watch", "def look(context): context._runtime.sockets", 1),
        ("_contracts/_channels", "def check(network): network._fabric", 1),
        ("_network/_run", "def run(network): network._fabric", 0),  # its own room's
        ("_network/_run", "class Run:\n    def end(self): self._spot.wake(); self.__class__", 0),
        ("_determinism", "def renumber(task): task._counter = 1", 0),
        ("_times", "def renumber(task): task._counter = 1", 1),
    ],
)
def test_a_planted_reach_into_private_things_is_found(plant, place: str, source: str, faults: int) -> None:
    plant("testing/_network/_network.py", "class N:\n    def __init__(self): self._fabric = 1")
    assert len(private_faults(plant(f"testing/{place}.py", source))) == faults
