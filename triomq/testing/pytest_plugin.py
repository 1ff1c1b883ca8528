"""pytest: a virtual network for each test, many seeds for one test, and the seed of a failure.

pytest finds this by itself where triomq is installed; pytest-trio runs the tests. A test that uses `virtual_network`
runs in virtual time, and its run is that of its seed. When it fails, the report has the seed and what happened last.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from typing import Any

import pytest
import trio
import trio.testing

from .._context import Context
from ._determinism import fixed_schedule
from ._network import VirtualNetwork

_SHOWN = 60  # lines of the trace in a report
_network_key = pytest.StashKey[VirtualNetwork]()
_seed_key = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--triomq-seed``, ``--triomq-seeds`` and ``--triomq-first-seed``."""
    group = parser.getgroup("triomq", "networks in virtual time")
    group.addoption(
        "--triomq-seed", type=int, metavar="SEED", help="run every test of a virtual network with this seed alone"
    )
    group.addoption("--triomq-seeds", type=int, metavar="N", help="run every test marked virtual_seeds with N seeds")
    group.addoption(
        "--triomq-first-seed", type=int, metavar="SEED", default=0, help="the first of those N seeds; 0 if not given"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "virtual_seeds(n): run the test with n seeds of the virtual network")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each seed."""
    if "triomq_seed" not in metafunc.fixturenames:
        return
    seed, count = metafunc.config.getoption("triomq_seed"), metafunc.config.getoption("triomq_seeds")
    marker = metafunc.definition.get_closest_marker("virtual_seeds")
    if seed is not None:
        seeds: Sequence[int] = [seed]
    elif marker is not None:
        first = metafunc.config.getoption("triomq_first_seed")
        seeds = range(first, first + (count or marker.args[0]))
    else:
        return
    metafunc.parametrize("triomq_seed", seeds, indirect=True, ids=[f"seed{seed}" for seed in seeds])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let pytest-trio run the tests of virtual networks in virtual time."""
    for item in items:
        if isinstance(item, pytest.Function) and "virtual_network" in item.fixturenames:
            if inspect.iscoroutinefunction(getattr(getattr(item.obj, "hypothesis", None), "inner_test", item.obj)):
                item.add_marker(pytest.mark.trio(run=_run), append=False)  # first: the first one with a run counts


def _run(
    function: Callable[..., Awaitable[Any]],
    *arguments: Any,
    clock: trio.abc.Clock | None = None,
    instruments: Sequence[trio.abc.Instrument] = (),
) -> Any:
    clock = clock or trio.testing.MockClock(autojump_threshold=0)
    return trio.run(function, *arguments, clock=clock, instruments=instruments)


@pytest.fixture
def triomq_seed(request: pytest.FixtureRequest) -> Iterator[int]:
    """The seed of this test's virtual network: 0, or one of those that ``virtual_seeds`` or an option asks for."""
    seed: int = getattr(request, "param", 0)
    request.node.stash[_seed_key] = seed
    with fixed_schedule(seed):  # from here on, so that the fixtures' own tasks have a fixed order too
        yield seed


@pytest.fixture
async def virtual_network(request: pytest.FixtureRequest, triomq_seed: int) -> AsyncIterator[VirtualNetwork]:
    """A `VirtualNetwork` for this test."""
    async with VirtualNetwork(triomq_seed) as network:
        request.node.stash[_network_key] = network
        yield network


@pytest.fixture
async def triomq_context(virtual_network: VirtualNetwork) -> AsyncIterator[Context]:
    """A context of the host ``localhost`` of the test's virtual network."""
    async with virtual_network.open_context("localhost") as context:
        yield context


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the seed, and what happened last, to the report of a failure."""
    report = yield
    network = item.stash.get(_network_key, None)
    if report.failed and _seed_key in item.stash:
        seed = item.stash[_seed_key]
        report.sections.append(("triomq", f"seed {seed}; to run it again: --triomq-seed={seed}"))
        if network is not None:
            lines = network.trace().splitlines()
            title = f"triomq: the last {min(_SHOWN, len(lines))} of {network.recorder.total} happenings"
            report.sections.append((title, "\n".join(lines[-_SHOWN:])))
    if report.when == "teardown" and network is not None:
        del item.stash[_network_key]
    return report
