"""The pytest plugin: fixtures, seeds, and what a failure tells."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork
from triomq.testing._report import describe, file_name, save

from .users_pytest import Done, Wanted, run_pytests

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


RUNS = {
    "marked": Wanted(TESTS),
    "one seed": Wanted(TESTS, ("--triomq-seed=7",)),
    "a sweep": Wanted(TESTS, ("--triomq-seeds=5",)),
    "another sweep": Wanted(TESTS, ("--triomq-seeds=5", "--triomq-first-seed=10")),
    "diagrams": Wanted(TESTS, ("--triomq-diagrams=out/pictures",)),
    "all diagrams": Wanted(TESTS, ("--triomq-diagrams=out", "--triomq-all-diagrams")),
    "a file in the way": Wanted(TESTS, ("--triomq-diagrams=in the way",), files=("in the way",)),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    return run_pytests(tmp_path_factory.mktemp("users"), RUNS)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("marked", ["4 passed", "1 failed", "test_fails_with_one[seed1]", "--triomq-seed=1", "hello"]),
        ("one seed", ["3 passed", "test_fails_with_one[seed7]"]),
        ("a sweep", ["6 passed", "1 failed"]),
        ("another sweep", ["7 passed", "test_fails_with_one[seed10]", "[seed14]"]),
    ],
    ids=["marked", "one seed", "a sweep", "another sweep"],
)
def test_seeds(runs: dict[str, Done], run: str, expected: list[str]) -> None:
    output = runs[run].output
    assert [text for text in expected if text not in output] == [], output


def pictures(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.glob("*.svg"))


def test_a_failure_is_told_with_its_diagram_and_nothing_is_left_in_the_users_tree(runs: dict[str, Done]) -> None:
    done = runs["marked"]
    assert "seed 1; to run it again: pytest 'test_user.py::test_fails_with_one[seed1]' --triomq-seed=1" in done.output
    assert "┈┈ hello\n" in done.output
    (path,) = (done.temporary / "triomq").iterdir()
    assert str(path) in done.output
    assert path.name.startswith("test_user.py-test_fails_with_one-seed1-")
    assert "test_user.py::test_fails_with_one[seed1], seed 1" in ElementTree.parse(path).getroot().attrib["aria-label"]
    assert [path.name for path in done.project.iterdir()] == ["test_user.py"]


def test_diagrams_go_where_they_are_wanted(runs: dict[str, Done]) -> None:
    done = runs["diagrams"]
    assert len(pictures(done.project / "out" / "pictures")) == 1
    assert "diagrams in" not in done.output


def test_diagrams_of_all_tests(runs: dict[str, Done]) -> None:
    done = runs["all diagrams"]
    found = pictures(done.project / "out")
    assert [name.rpartition("-")[0] for name in found] == [
        f"test_user.py-test_fails_with_one-seed{seed}" for seed in range(3)
    ]
    assert f"triomq: 3 diagrams in {done.project / 'out'}" in done.output


def test_a_diagram_that_cannot_be_written_hides_no_failure(runs: dict[str, Done]) -> None:
    output = runs["a file in the way"].output
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
