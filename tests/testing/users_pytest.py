"""What pytest prints for a user of the plugin: many runs of pytest, one after the other, in one process of their own.

Each run has a directory, a file of tests and options of its own. Only the interpreter is shared: to start it and to
import everything takes ten times as long as such a run.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

import triomq

SHARED = [
    "-v", "-c", os.devnull, "--rootdir=.", "--import-mode=importlib", "--basetemp=../temporary",
    "-p", "no:cacheprovider", "-p", "triomq.testing.pytest_plugin",
]  # fmt: skip


@attrs.frozen
class Wanted:
    """A run of pytest: the file of tests, the options, and other files, which are empty."""

    tests: str
    options: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@attrs.frozen
class Done:
    """What came of it.

    Attributes:
      output: what pytest has printed.
      project: where it ran.
      temporary: where its temporary directories are.
    """

    output: str
    project: Path
    temporary: Path


def run_pytests(directory: Path, wanted: Mapping[str, Wanted]) -> dict[str, Done]:
    """Run pytest for each of those that are wanted. Returns: by the same names, what came of it."""
    projects = {name: directory / f"run{number}" / "project" for number, name in enumerate(wanted)}
    for name, project in projects.items():
        project.mkdir(parents=True)
        (project / "test_user.py").write_text(wanted[name].tests)
        for file in wanted[name].files:
            (project / file).touch()
    runs = [(str(project), wanted[name].options) for name, project in projects.items()]
    done = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "PYTHONPATH": str(Path(triomq.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"},
        input=json.dumps(runs),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=300,
    )
    outputs = json.loads(done.stdout)
    return {
        name: Done(output, project, project.with_name("temporary"))
        for (name, project), output in zip(projects.items(), outputs, strict=True)
    }


def main() -> None:
    """Run pytest as often as the JSON on the standard input says; print what it has printed, as JSON."""
    outputs = []
    for project, options in json.load(sys.stdin):
        output = io.StringIO()
        with contextlib.chdir(project), contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            pytest.main([*SHARED, *options, "test_user.py"])
        del sys.modules["test_user"]  # or the next run would have the tests of this one
        outputs.append(output.getvalue())
    print(json.dumps(outputs))


if __name__ == "__main__":
    main()
