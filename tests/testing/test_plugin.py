"""The pytest plugin: fixtures, seeds, and what a failure tells."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork
from triomq.testing._report import describe, file_name, save

TESTS = """
import pytest, trio, triomq

@pytest.mark.trio
@pytest.mark.virtual_seeds(3)
async def test_fails_with_one(virtual_network, triomq_context):
    virtual_network.note("hello")
    await trio.sleep(3600)
    assert virtual_network.seed != 1

@pytest.mark.trio
async def test_in_real_time():
    assert not isinstance(trio.lowlevel.current_clock(), trio.testing.MockClock)

def test_without_trio():
    pass
"""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["4 passed", "1 failed", "test_fails_with_one[seed1]", "--triomq-seed=1", "hello"]),
        (["--triomq-seed=7"], ["3 passed", "test_fails_with_one[seed7]"]),
        (["--triomq-seeds=5"], ["6 passed", "1 failed"]),
    ],
    ids=["marked", "one seed", "a sweep"],
)
def test_seeds(tmp_path: Path, options: list[str], expected: list[str]) -> None:
    output = run_pytest(tmp_path, TESTS, *options)
    assert [text for text in expected if text not in output] == [], output


def run_pytest(directory: Path, tests: str, *options: str) -> str:
    """Run pytest on a file of tests, in a directory of its own. Returns: what it prints."""
    project = directory / "project"
    project.mkdir()
    (project / "test_user.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-v", "-c", os.devnull, "--rootdir", str(project)]
    command += ["-p", "no:cacheprovider", "-p", "triomq.testing.pytest_plugin", f"--basetemp={directory / 'temporary'}"]
    done = subprocess.run(
        [*command, *options, "test_user.py"],
        env={**os.environ, "PYTHONPATH": str(Path(triomq.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def pictures(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.glob("*.svg"))


def test_a_failure_is_told_with_its_diagram_and_nothing_is_left_in_the_users_tree(tmp_path: Path) -> None:
    output = run_pytest(tmp_path, TESTS)
    assert "seed 1; to run it again: pytest 'test_user.py::test_fails_with_one[seed1]' --triomq-seed=1" in output
    assert "┈┈ hello\n" in output
    (path,) = (tmp_path / "temporary" / "triomq").iterdir()
    assert str(path) in output
    assert path.name.startswith("test_user.py-test_fails_with_one-seed1-")
    assert "test_user.py::test_fails_with_one[seed1], seed 1" in ElementTree.parse(path).getroot().attrib["aria-label"]
    assert [path.name for path in (tmp_path / "project").iterdir()] == ["test_user.py"]


def test_diagrams_go_where_they_are_wanted(tmp_path: Path) -> None:
    output = run_pytest(tmp_path, TESTS, "--triomq-diagrams=out/pictures")
    assert len(pictures(tmp_path / "project" / "out" / "pictures")) == 1
    assert "diagrams in" not in output


def test_diagrams_of_all_tests(tmp_path: Path) -> None:
    output = run_pytest(tmp_path, TESTS, "--triomq-diagrams=out", "--triomq-all-diagrams")
    found = pictures(tmp_path / "project" / "out")
    assert [name.rpartition("-")[0] for name in found] == [
        f"test_user.py-test_fails_with_one-seed{seed}" for seed in range(3)
    ]
    assert f"triomq: 3 diagrams in {tmp_path / 'project' / 'out'}" in output


def test_a_diagram_that_cannot_be_written_hides_no_failure(tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("")
    output = run_pytest(tmp_path, TESTS, f"--triomq-diagrams={tmp_path / 'in the way'}")
    assert "not written: FileExistsError" in output
    assert "4 passed" in output
    assert "1 failed" in output


async def test_a_fault_of_the_diagram_hides_no_failure(
    virtual_network: VirtualNetwork, tmp_path: Path, monkeypatch
) -> None:
    def broken(**arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(virtual_network, "diagram", broken)
    assert "ZeroDivisionError" in describe(virtual_network)
    assert save(virtual_network, "a", tmp_path) == (None, "not written: ZeroDivisionError()")


def test_every_test_has_a_file_of_its_own() -> None:
    nodes = [
        "t.py::a[x/y]",
        "t.py::a[x-y]",
        "t.py::a[x:y]",
        "t.py::" + "long" * 99,
        "t.py::" + "long" * 98,
        "t.py::ø[\udc80]",
    ]
    names = [file_name(node) for node in nodes]
    assert len(set(names)) == len(nodes)
    for name in names:
        assert len(name) < 120
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._=-]*\.svg", name)


async def test_a_test_of_a_network_runs_in_virtual_time(virtual_network: VirtualNetwork) -> None:
    await trio.sleep(3600)


async def test_its_context_is_one_of_localhost(virtual_network: VirtualNetwork, triomq_context: triomq.Context) -> None:
    pull = triomq_context.socket(triomq.PULL)
    assert await pull.bind("tcp://*:5555") == "tcp://localhost:5555"
    async with virtual_network.open_context("b") as ctx:
        push = ctx.socket(triomq.PUSH)
        push.connect("tcp://localhost:5555")  # b's own
        await trio.sleep(10)
        assert not pull.peers


@pytest.mark.virtual_seeds(3)
async def test_each_seed_is_a_test(virtual_network: VirtualNetwork, triomq_seed: int) -> None:
    assert virtual_network.seed == triomq_seed
