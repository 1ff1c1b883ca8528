"""How large things are, what is documented, what was copied, whose machine is mentioned, what is installed."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import re
import statistics
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from .package import PACKAGE, ROOT, files, modules

MOST_LINES_OF_A_FILE = 400
MEDIAN_LINES_OF_A_FILE = 160
MOST_LINES_OF_A_FUNCTION = 60
MOST_PUBLIC_NAMES = 90
MOST_LINES_COPIED = 11


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


def long_files(directory: Path) -> list[str]:
    """Files that are too long; the only budget that tests have too."""
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in sorted(directory.rglob("*.py"))}
    return [
        f"{path.relative_to(directory)}: {length} lines, {MOST_LINES_OF_A_FILE} at the most"
        for path, length in lengths.items()
        if length > MOST_LINES_OF_A_FILE
    ]


def rooms_without_tests(package: Path, tests: Path) -> list[str]:
    """Folders of the package for which there is no folder of tests with the same name."""
    rooms = {name.partition(".")[0] for name, path in files(package).items() if path.parent != package}
    return sorted(room for room in rooms if not list((tests / room.removeprefix("_")).glob("test_*.py")))


def undocumented(package: Path) -> list[str]:
    """Modules, classes and functions without a docstring.

    What begins with an underscore needs none; an overload has that of the function.
    """
    faults = []
    for name, tree in modules(package).items():
        if ast.get_docstring(tree) is None:
            faults.append(f"{name}: the module")
        for node in tree.body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                if "overload" in map(ast.unparse, node.decorator_list):
                    continue  # what the function does is said where it is implemented
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


@pytest.mark.parametrize("rule", [size_faults, undocumented], ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule) -> None:
    assert rule(PACKAGE) == []


def test_no_test_file_is_too_long() -> None:
    assert long_files(ROOT / "tests") == []


def test_tests_mirror_the_rooms() -> None:
    assert rooms_without_tests(PACKAGE, ROOT / "tests") == []


def test_socket_types_do_not_copy_each_other() -> None:
    assert copied_lines(PACKAGE / "_sockets") == []


def test_no_path_of_a_machine_is_in_the_tree() -> None:
    assert machine_paths(ROOT) == []


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


def test_planted_size_is_found(plant) -> None:
    function = "def f():\n" + "    x = 1\n" * MOST_LINES_OF_A_FUNCTION
    assert len(size_faults(plant("_stray.py", function))) == 1
    assert len(size_faults(plant("_stray.py", "x = 1\n" * (MOST_LINES_OF_A_FILE + 1)))) == 1


def test_a_planted_long_test_is_found(tmp_path: Path) -> None:
    for name, length in (("test_long.py", MOST_LINES_OF_A_FILE + 1), ("test_short.py", MOST_LINES_OF_A_FILE)):
        (tmp_path / name).write_text("x = 1\n" * length)
    assert long_files(tmp_path) == ["test_long.py: 401 lines, 400 at the most"]


def test_a_planted_room_without_tests_is_found(plant, tmp_path: Path) -> None:
    package = plant("_stray/_thing.py", "")
    assert "_stray" in rooms_without_tests(package, tmp_path / "tests")
    (tmp_path / "tests" / "stray").mkdir(parents=True)
    (tmp_path / "tests" / "stray" / "test_thing.py").touch()
    assert "_stray" not in rooms_without_tests(package, tmp_path / "tests")


def test_a_planted_silence_is_found(plant) -> None:
    source = '"""Doc."""\ndef f(): ...\nclass C:\n    x = 1\ndef _g(): ...\n@overload\ndef f(): ...\n'
    assert len(undocumented(plant("_stray.py", source))) == 2


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
