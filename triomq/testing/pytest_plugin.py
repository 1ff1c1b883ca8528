"""pytest: a virtual network for each test, many seeds for one test, and the seed of a failure.

pytest finds this by itself where triomq is installed; pytest-trio runs the tests. A test that uses `virtual_network`
runs in virtual time, and its run is that of its seed. When it fails, the report has the seed, how to run it again, a
sequence diagram of what happened last, and where the whole one is as a picture.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from .._context import Context
from ._determinism import FixtureOrder, fixed_schedule
from ._network import FOUR_HOURS, VirtualNetwork, call_within, mark_failure
from ._report import describe, how_to_repeat, save

_network_key = pytest.StashKey[VirtualNetwork]()
_seed_key = pytest.StashKey[int]()
_directory_key = pytest.StashKey[Path]()
_SAVED = "triomq_diagram"
_limit_key = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options for seeds, and those for diagrams."""
    group = parser.getgroup("triomq", "networks in virtual time")
    group.addoption(
        "--triomq-seed", type=int, metavar="SEED", help="run every test of a virtual network with this seed alone"
    )
    group.addoption("--triomq-seeds", type=int, metavar="N", help="run every test marked virtual_seeds with N seeds")
    group.addoption(
        "--triomq-first-seed", type=int, metavar="SEED", default=0, help="the first of those N seeds; 0 if not given"
    )
    group.addoption(
        "--triomq-diagrams",
        metavar="DIR",
        help="where to write the sequence diagrams of tests that fail, instead of pytest's temporary directory",
    )
    group.addoption(
        "--triomq-all-diagrams", action="store_true", help="write the sequence diagrams of tests that pass, too"
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
        seeds = range(first, first + (count or _count(marker, metafunc.definition)))
    else:
        return
    metafunc.parametrize("triomq_seed", seeds, indirect=True, ids=[f"seed{seed}" for seed in seeds])


def _count(marker: pytest.Mark, test: pytest.Item) -> int:
    values = [*marker.args, *marker.kwargs.values()]
    if len(values) != 1 or marker.kwargs.keys() - {"n"} or not isinstance(values[0], int) or values[0] < 1:
        raise pytest.UsageError(f"{test.nodeid}: virtual_seeds takes the number of seeds, such as virtual_seeds(20)")
    return values[0]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let pytest-trio run the tests of virtual networks in virtual time."""
    for item in items:
        if isinstance(item, pytest.Function) and "virtual_network" in item.fixturenames:
            fault = None
            if not any(map(config.pluginmanager.has_plugin, ["trio", "pytest_trio.plugin"])):
                fault = "pytest-trio runs such tests: pip install pytest-trio"
            elif not inspect.iscoroutinefunction(
                getattr(getattr(item.obj, "hypothesis", None), "inner_test", item.obj)
            ):
                fault = "such a test is an async function: async def"
            elif _is_asyncios(config, item):
                fault = (
                    "pytest-asyncio would run it, in asyncio: write asyncio_mode = strict (not auto) in pytest's "
                    "configuration, and no mark asyncio at such a test"
                )
            if fault:
                raise pytest.UsageError(f"{item.nodeid} uses virtual_network, and {fault}")
            item.add_marker(pytest.mark.trio(run=_run), append=False)  # in front: pytest-trio takes the first run=


def _is_asyncios(config: pytest.Config, item: pytest.Function) -> bool:
    """Whether pytest-asyncio takes a test, and its async fixtures, for its own."""
    if not config.pluginmanager.has_plugin("asyncio"):
        return False
    mode = config.getoption("asyncio_mode", None) or config.getini("asyncio_mode")
    return str(getattr(mode, "value", mode)) == "auto" or item.get_closest_marker("asyncio") is not None


def _run(
    function: Callable[..., Awaitable[Any]],
    *arguments: Any,
    clock: trio.abc.Clock | None = None,
    instruments: Sequence[trio.abc.Instrument] = (),
) -> Any:
    clock = clock or trio.testing.MockClock(autojump_threshold=0)
    order = FixtureOrder()

    async def main() -> Any:
        order.begin()
        return await function(*arguments)

    return trio.run(main, clock=clock, instruments=[*instruments, order])


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before pytest-trio makes a plain function of the test
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Give a test of a virtual network its time limit."""
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
        if "virtual_network" in item.fixturenames:
            item.obj = _limited(item, item.obj)
    return (yield)


def _limited(item: pytest.Item, test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def limited(**arguments: Any) -> None:
        network, limit, call = item.stash[_network_key], item.stash[_limit_key], functools.partial(test, **arguments)
        try:
            await call_within(network, limit, call, "change that with a fixture triomq_time_limit")
        except (pytest.skip.Exception, KeyboardInterrupt):
            raise
        except BaseException as exc:
            mark_failure(network, exc)
            raise

    return limited


@pytest.fixture
def triomq_seed(request: pytest.FixtureRequest) -> Iterator[int]:
    """The seed of this test's virtual network: 0, or a seed that ``virtual_seeds`` or an option asks for."""
    seed: int = getattr(request, "param", 0)
    request.node.stash[_seed_key] = seed
    with fixed_schedule(seed):  # from here on, so that the fixtures' own tasks have a fixed order too
        yield seed


@pytest.fixture
def triomq_time_limit() -> float:
    """Seconds of virtual time that the body of a test may take: four hours. Override this where a test needs longer."""
    return FOUR_HOURS


@pytest.fixture
async def virtual_network(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    triomq_seed: int,
    triomq_time_limit: float,
) -> AsyncIterator[VirtualNetwork]:
    """A `VirtualNetwork` for this test."""
    chosen = request.config.getoption("triomq_diagrams")
    if chosen is None:
        directory = tmp_path_factory.getbasetemp() / "triomq"
    else:
        directory = request.config.invocation_params.dir / chosen
    async with VirtualNetwork(triomq_seed) as network:
        request.node.stash[_directory_key] = directory
        request.node.stash[_network_key] = network
        request.node.stash[_limit_key] = triomq_time_limit
        yield network


@pytest.fixture
async def triomq_context(virtual_network: VirtualNetwork) -> AsyncIterator[Context]:
    """A context of the host ``localhost`` of the test's virtual network."""
    async with virtual_network.open_context("localhost") as context:
        yield context


@pytest.fixture
async def triomq_localhost(virtual_network: VirtualNetwork) -> AsyncIterator[str]:
    """In the test, `triomq.open_context` opens contexts of the host ``localhost`` of its virtual network."""
    with virtual_network.on("localhost"):
        yield "localhost"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the seed, and a diagram of what happened, to the report of a failure."""
    report = yield
    network = item.stash.get(_network_key, None)
    if report.failed and _seed_key in item.stash:
        report.sections.append(("triomq", how_to_repeat(item.nodeid, item.stash[_seed_key])))
    wanted = report.failed or (report.when == "call" and item.config.getoption("triomq_all_diagrams"))
    if wanted and network is not None:
        path, text = save(network, item.nodeid, item.stash[_directory_key])
        if report.failed:
            report.sections.append(("triomq: what happened last", describe(network)))
        report.sections.append(("triomq: the whole diagram", text))
        if path is not None:
            report.user_properties.append((_SAVED, str(path)))
    if report.when == "teardown" and network is not None:
        del item.stash[_network_key]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where the diagrams of all tests are, if all were asked for."""
    if not terminalreporter.config.getoption("triomq_all_diagrams"):
        return
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    paths = {value for report in reports for name, value in getattr(report, "user_properties", ()) if name == _SAVED}
    for directory in sorted({str(Path(path).parent) for path in paths}):
        count = sum(str(Path(path).parent) == directory for path in paths)
        terminalreporter.write_line(f"triomq: {count} diagrams in {directory}")
