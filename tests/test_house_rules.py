"""The rules of the house that a machine can hold: who may import whom, how large, what never.

Each rule is a function of a directory that returns what it found, so that it can be shown a planted fault.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import io
import os
import re
import statistics
import sys
import tokenize
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import combinations
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "triomq"

# The rooms, from the top. A module belongs to the first room with a pattern for it.
ROOMS: dict[str, list[str]] = {
    "testing": ["testing", "testing.*"],
    "front": ["__init__", "__main__", "_demo*"],
    "patterns": ["_proxy", "_merge"],
    "context": ["_context"],
    "sockets": ["_sockets", "_sockets.*"],
    "connections": ["_session", "_reader", "_writer", "_dialer", "_acceptor", "_inproc", "_awaited_stream"],
    "routing": ["_routing", "_routing.*"],
    "pipe": ["_pipe"],
    "transports": ["_transports", "_transports.*"],
    "zmtp": ["zmtp", "zmtp.*"],
    "runtime": ["_runtime"],
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

# The one private thing of others that we use, and where: only so can a seed govern trio's order of tasks.
LICENSED = {("testing._determinism", "trio._core._run")}

# The protocol has no I/O and no clock.
NEVER_IN_ZMTP = {"trio", "socket", "select", "selectors", "ssl", "time", "datetime", "logging", "random", "threading"}

MOST_LINES_OF_A_FILE = 400
MEDIAN_LINES_OF_A_FILE = 160
MOST_LINES_OF_A_FUNCTION = 60
MOST_PUBLIC_NAMES = 60
MOST_LINES_COPIED = 11

CLOCKS = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep"}
RANDOM_CLASSES = {"Random", "SystemRandom"}

# "Not now" is an answer, not a fault: these may be answered with nothing.
ANSWERS = {"trio.WouldBlock", "BlockingIOError", "InterruptedError"}


# -- reading the package -----------------------------------------------------------------------------


def modules(package: Path) -> dict[str, ast.Module]:
    """Every module below a package, as ``zmtp._frames`` or, for a package's own, ``zmtp``."""
    return {name: ast.parse(path.read_text("utf-8"), str(path)) for name, path in files(package).items()}


def files(package: Path) -> dict[str, Path]:
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        found[name] = path
    return found


def is_for_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def walk_at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """`ast.walk`, but for what stands below ``if TYPE_CHECKING:``."""
    yield node
    children: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and is_for_type_checking(node):
        children = node.orelse
    for child in children:
        yield from walk_at_run_time(child)


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


# -- the rules ---------------------------------------------------------------------------------------


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


def forbidden_names(package: Path) -> list[str]:
    """Private parts of trio, clocks that are not trio's, and randomness that cannot be injected."""
    faults = []
    for name, tree in modules(package).items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                owner, attribute = node.value.id, node.attr
                pairs = [(owner, attribute)]
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                pairs = [(node.module, alias.name) for alias in node.names]
            elif isinstance(node, ast.Import):
                pairs = [tuple(alias.name.split(".", 1)) for alias in node.names if "." in alias.name]
            else:
                continue
            for owner, attribute in pairs:
                if _is_forbidden(owner, attribute) and (name, f"{owner}.{attribute}") not in LICENSED:
                    faults.append(f"{name}:{node.lineno}: {owner}.{attribute}")
    return faults


def _is_forbidden(owner: str, attribute: str) -> bool:
    if owner == "trio" or owner.startswith("trio."):
        return any(part.startswith("_") and not part.endswith("__") for part in f"{owner}.{attribute}".split("."))
    if owner == "time":
        return attribute in CLOCKS
    return owner == "random" and attribute not in RANDOM_CLASSES


def silent_handlers(package: Path) -> list[str]:
    """Handlers that do nothing, and nothing says why."""
    faults = []
    for name, path in files(package).items():
        source = path.read_text("utf-8")
        commented = {
            token.start[0]
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type == tokenize.COMMENT and not token.string.startswith(("# type:", "# noqa", "# pragma"))
        }
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ExceptHandler) and all(_does_nothing(statement) for statement in node.body):
                if _caught(node) and _caught(node) <= ANSWERS:
                    continue
                lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                if commented.isdisjoint(lines):
                    faults.append(f"{name}:{node.lineno}: an exception is dropped; say why in a comment")
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "suppress":
                broad = {"Exception", "BaseException"} & {ast.unparse(argument) for argument in node.args}
                if broad:
                    faults.append(f"{name}:{node.lineno}: suppress({broad.pop()})")
    return faults


def _caught(handler: ast.ExceptHandler) -> set[str]:
    if handler.type is None:
        return set()
    return {
        ast.unparse(kind) for kind in (handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type])
    }


def _does_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.Pass, ast.Continue)):
        return True
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def size_faults(package: Path) -> list[str]:
    faults = []
    lengths = []
    for name, path in files(package).items():
        source = path.read_text("utf-8")
        length = len(source.splitlines())
        lengths.append(length)
        if length > MOST_LINES_OF_A_FILE:
            faults.append(f"{name}: {length} lines, {MOST_LINES_OF_A_FILE} at the most")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_LINES_OF_A_FUNCTION:
                    faults.append(
                        f"{name}:{node.lineno}: {node.name}() has {lines} lines, {MOST_LINES_OF_A_FUNCTION} at the most"
                    )
    if lengths and statistics.median(lengths) > MEDIAN_LINES_OF_A_FILE:
        faults.append(f"the median file has {statistics.median(lengths)} lines, {MEDIAN_LINES_OF_A_FILE} at the most")
    return faults


def undocumented(package: Path) -> list[str]:
    """Modules, classes and functions without a docstring; what begins with an underscore needs none."""
    faults = []
    for name, tree in modules(package).items():
        if ast.get_docstring(tree) is None:
            faults.append(f"{name}: the module")
        for node in tree.body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                if not node.name.startswith("_") and ast.get_docstring(node) is None:
                    faults.append(f"{name}:{node.lineno}: {node.name}")
    return faults


def copied_lines(directory: Path) -> list[str]:
    """Runs of lines that two modules of a directory have in common, imports left out."""
    faults = []
    code = {path.name: _code_lines(path) for path in sorted(directory.rglob("*.py"))}
    width = MOST_LINES_COPIED + 1
    for one, other in combinations(code, 2):
        runs = {tuple(code[one][i : i + width]) for i in range(len(code[one]) - width + 1)}
        for i in range(len(code[other]) - width + 1):
            if (run := tuple(code[other][i : i + width])) in runs:
                faults.append(f"{one} and {other} share {width} lines from {run[0]!r} on")
                break
    return faults


def _code_lines(path: Path) -> list[str]:
    source = path.read_text("utf-8")
    imported: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            imported.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return [
        line.strip()
        for number, line in enumerate(source.splitlines(), 1)
        if line.strip() and number not in imported
    ]  # fmt: skip


# Somebody's machine. An endpoint is none, and the one that stands in for all, ipc:///tmp/feed, has an address.
MACHINE_PATH = re.compile(r"(?<![\w.)~/-])(/work\b|/root\b|/home/\w|/tmp\b)")
TEXT = {".py", ".toml", ".md", ".rst", ".txt", ".yml", ".yaml", ".cfg", ".json", ".sh", ""}
NOT_OURS = {"build", "dist", "_build", "__pycache__", "venv", "node_modules"}


def machine_paths(root: Path) -> list[str]:
    faults = []
    for directory, names, file_names in os.walk(root):
        names[:] = [name for name in names if name not in NOT_OURS and (not name.startswith(".") or name == ".ci")]
        for path in (Path(directory, name) for name in file_names):
            if path.suffix not in TEXT or path.name == ".git" or path == Path(__file__).resolve():
                continue
            for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
                if found := MACHINE_PATH.search(line.replace('"/tmp/feed"', "")):
                    faults.append(f"{path.relative_to(root)}:{number}: {found.group()}")
    return faults


# -- the rules hold ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [ladder_faults, zmtp_faults, forbidden_names, silent_handlers, size_faults, undocumented],
    ids=lambda rule: rule.__name__,
)
def test_the_package_keeps_the_rule(rule) -> None:
    assert rule(PACKAGE) == []


def test_socket_types_do_not_copy_each_other() -> None:
    assert copied_lines(PACKAGE / "_sockets") == []


def test_no_path_of_a_machine_is_in_the_tree() -> None:
    assert machine_paths(ROOT) == []


def test_the_ladder_has_no_way_up() -> None:
    """The table itself: a room imports only rooms that stand below it."""
    order = list(ROOMS)
    for room, allowed in MAY_IMPORT.items():
        for other in allowed:
            assert other not in order or order.index(other) > order.index(room), (room, other)
    assert list(MAY_IMPORT) == order


def public_objects() -> Iterator[tuple[str, object]]:
    triomq = pytest.importorskip("triomq")
    for name in getattr(triomq, "__all__", ()):
        yield name, getattr(triomq, name)


def test_the_public_names_are_few() -> None:
    assert len(list(public_objects())) <= MOST_PUBLIC_NAMES


def test_every_public_member_says_what_it_does() -> None:
    """Methods and properties too; one that overrides may leave it to what it overrides."""
    silent = []
    for name, thing in public_objects():
        if not isinstance(thing, type):
            continue
        for owner in thing.__mro__:
            if not owner.__module__.startswith("triomq"):
                continue
            for attribute, value in vars(owner).items():
                if attribute.startswith("_") or not (
                    callable(value) or isinstance(value, (property, classmethod, staticmethod))
                ):
                    continue
                if not inspect.getdoc(getattr(owner, attribute)):
                    silent.append(f"{name}.{attribute}")
    assert silent == []


def test_what_is_tested_is_what_was_installed() -> None:
    """Under nox: in a flat layout the checkout would win without anybody's noticing."""
    environment = os.environ.get("TRIOMQ_INSTALLED")
    if environment is None:
        pytest.skip("not run by nox")
    spec = importlib.util.find_spec("triomq")
    assert spec is not None
    assert spec.origin is not None
    assert Path(environment).resolve() in Path(spec.origin).resolve().parents


# -- the rules have teeth ----------------------------------------------------------------------------


OTHER_MODULES = [
    "__init__", "_pipe", "_context", "zmtp/__init__", "zmtp/_frames", "_errors", "_sockets/__init__",
    "testing/__init__", "testing/_determinism",
]  # fmt: skip


@pytest.fixture
def plant(tmp_path: Path):
    """Write one module of a package that has a few others, and return the package."""

    def write(name: str, source: str) -> Path:
        for other in OTHER_MODULES:
            path = tmp_path / f"{other}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text('"""A module."""\n')
        (tmp_path / name).write_text(source)
        return tmp_path

    return write


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


@pytest.mark.parametrize(
    "source",
    [
        "import trio\ntrio._core",
        "from trio import _core",
        "import trio._core",
        "from trio._core import x",
        "import time\ntime.sleep(1)",
        "from time import monotonic",
        "import random\nrandom.random()",
        "from random import uniform",
    ],
)
def test_a_planted_private_part_clock_or_dice_is_found(plant, source: str) -> None:
    assert len(forbidden_names(plant("_pipe.py", source))) == 1


@pytest.mark.parametrize(("module", "faults"), [("testing/_determinism.py", 0), ("testing/__init__.py", 1)])
def test_what_is_licensed_is_licensed_in_one_place(plant, module: str, faults: int) -> None:
    assert len(forbidden_names(plant(module, "import trio._core._run as scheduler"))) == faults


def test_an_injected_source_of_chance_is_not_found(plant) -> None:
    source = "import random\nimport trio\nrandom.Random(1).random()\ntrio.current_time()\nprint(trio.__version__)\n"
    assert forbidden_names(plant("_pipe.py", source)) == []


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    x\nexcept Exception:\n    pass\n",
        "try:\n    x\nexcept:\n    ...\n",
        "for x in y:\n    try:\n        x\n    except ValueError as e:\n        continue\n",
        "try:\n    x\nexcept (BlockingIOError, OSError):\n    pass\n",
        "import contextlib\nwith contextlib.suppress(Exception):\n    x\n",
    ],
)
def test_a_planted_silent_handler_is_found(plant, source: str) -> None:
    assert len(silent_handlers(plant("_pipe.py", source))) == 1


def test_a_handler_that_says_why_is_not_found(plant) -> None:
    source = "try:\n    x\nexcept OSError:\n    pass  # it is gone already, which is what we want\n"
    assert silent_handlers(plant("_pipe.py", source)) == []


def test_a_handler_of_not_now_is_not_found(plant) -> None:
    source = "try:\n    x\nexcept trio.WouldBlock:\n    pass\nexcept (BlockingIOError, InterruptedError):\n    pass\n"
    assert silent_handlers(plant("_pipe.py", source)) == []


def test_planted_size_is_found(plant) -> None:
    function = "def f():\n" + "    x = 1\n" * MOST_LINES_OF_A_FUNCTION
    assert len(size_faults(plant("_pipe.py", function))) == 1
    assert len(size_faults(plant("_pipe.py", "x = 1\n" * (MOST_LINES_OF_A_FILE + 1)))) == 1


def test_a_planted_silence_is_found(plant) -> None:
    source = '"""Doc."""\ndef f(): ...\nclass C:\n    x = 1\ndef _g(): ...\n'
    assert len(undocumented(plant("_pipe.py", source))) == 2


def test_a_planted_copy_is_found(tmp_path: Path) -> None:
    copied = "".join(f"x{number} = {number}\n" for number in range(MOST_LINES_COPIED + 1))
    (tmp_path / "a.py").write_text("import trio\n" + copied)
    (tmp_path / "b.py").write_text("y = 1\n\n" + copied.replace("\n", "\n\n") + "z = 2\n")
    assert len(copied_lines(tmp_path)) == 1
    (tmp_path / "b.py").write_text(copied.replace("x5", "y5"))
    assert copied_lines(tmp_path) == []


@pytest.mark.parametrize("line", ["x = '/root/.pyenv/bin'", "see /work/notes", "open('/tmp/x')", "(/home/me/code)"])
def test_a_planted_machine_path_is_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.py").write_text(f"# 1\n{line}\n")
    assert len(machine_paths(tmp_path)) == 1


def test_a_lookalike_of_a_machine_path_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "a.rst").write_text(
        "inproc://a/work inproc://work https://example.org/root `ipc:///tmp/feed` and/or /worked tmp_path/x\n"
    )
    assert machine_paths(tmp_path) == []
