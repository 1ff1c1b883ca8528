"""What never stands in the package: private parts of others, own clocks and dice, exceptions dropped in silence."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest

from .package import PACKAGE, files, modules

# The private things of others that we use, and where.
LICENSED = {
    ("testing._determinism", "trio._core._run"),  # only so can a seed govern trio's order of tasks
    ("_runtime._cancellation", "current_task()._cancel_status"),  # a look that costs a third of a checkpoint
}

CLOCKS = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep"}
RANDOM_CLASSES = {"Random", "SystemRandom"}

# "Not now" is an answer, not a fault: these may be answered with nothing.
ANSWERS = {"trio.WouldBlock", "BlockingIOError", "InterruptedError"}


def forbidden_names(package: Path) -> list[str]:
    """Private parts of trio, clocks that are not trio's, and randomness that cannot be injected."""
    faults = []
    for name, tree in modules(package).items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                owner, attribute = node.value.id, node.attr
                pairs = [(owner, attribute)]
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("current_task()"):
                pairs = [("current_task()", node.attr)]
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
    if owner == "current_task()":
        return attribute.startswith("_")
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


# -- the rules hold ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [forbidden_names, silent_handlers], ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule) -> None:
    assert rule(PACKAGE) == []


# -- the rules have teeth ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "import trio\ntrio._core",
        "from trio import _core",
        "import trio._core",
        "from trio._core import x",
        "import trio\ntrio.lowlevel.current_task()._runner",
        "import time\ntime.sleep(1)",
        "from time import monotonic",
        "import random\nrandom.random()",
        "from random import uniform",
    ],
)
def test_a_planted_private_part_clock_or_dice_is_found(plant, source: str) -> None:
    assert len(forbidden_names(plant("_stray.py", source))) == 1


@pytest.mark.parametrize(("module", "faults"), [("testing/_determinism.py", 0), ("testing/__init__.py", 1)])
def test_what_is_licensed_is_licensed_in_one_place(plant, module: str, faults: int) -> None:
    assert len(forbidden_names(plant(module, "import trio._core._run as scheduler"))) == faults


def test_an_injected_source_of_chance_is_not_found(plant) -> None:
    source = "import random\nimport trio\nrandom.Random(1).random()\ntrio.current_time()\nprint(trio.__version__)\n"
    assert forbidden_names(plant("_stray.py", source)) == []


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
    assert len(silent_handlers(plant("_stray.py", source))) == 1


def test_a_handler_that_says_why_is_not_found(plant) -> None:
    source = "try:\n    x\nexcept OSError:\n    pass  # it is gone already, which is what we want\n"
    assert silent_handlers(plant("_stray.py", source)) == []


def test_a_handler_of_not_now_is_not_found(plant) -> None:
    source = "try:\n    x\nexcept trio.WouldBlock:\n    pass\nexcept (BlockingIOError, InterruptedError):\n    pass\n"
    assert silent_handlers(plant("_stray.py", source)) == []
