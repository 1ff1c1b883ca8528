"""What every scenario has: a network whose weather the seed decides, and a look for what was left behind."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
import trio

from triomq.testing import VirtualNetwork

from .fish import FISH
from .promises import PROMISES
from .weather import make_rough

LONGEST = 10_000.0  # virtual seconds after which a scenario hangs


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("scenarios", "networks under faults")
    group.addoption("--plant", choices=sorted(FISH), help="run the scenarios with a bug put in on purpose: some fail")
    group.addoption("--promises", action="store_true", help="list which scenarios test which promise")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "promise(number, …): which promises a scenario puts to the test")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not config.getoption("promises", False):
        return
    for number, text in PROMISES.items():
        terminalreporter.write_line(f"{number}. {text}")
        for name in sorted(config.stash.get(_map_key, {}).get(number, ())):
            terminalreporter.write_line(f"     {name}")


_map_key = pytest.StashKey[dict[int, set[str]]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    found: dict[int, set[str]] = {}
    for item in items:
        for mark in item.iter_markers("promise"):
            for number in mark.args:
                found.setdefault(number, set()).add(f"{item.path.stem}.{item.originalname}")
    config.stash[_map_key] = found


@pytest.fixture
def dice(triomq_seed: int) -> random.Random:
    """The scenario's own chance."""
    return random.Random(f"scenario {triomq_seed}")


@pytest.fixture
def planted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bug that ``--plant`` asks for."""
    if name := request.config.getoption("plant", None):
        FISH[name](monkeypatch)


async def _watch() -> None:
    await trio.sleep(LONGEST)
    raise AssertionError(f"the scenario hangs: it is not over after {LONGEST} virtual seconds")


@pytest.fixture
async def net(virtual_network: VirtualNetwork, planted: None) -> AsyncIterator[VirtualNetwork]:
    """The network; when the scenario is over there is no task and no connection of it left."""
    tasks = trio.lowlevel.current_statistics().tasks_living
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_watch)
        yield virtual_network
        nursery.cancel_scope.cancel()
    await trio.sleep(2000)  # what a kernel still had to send has been sent, or given up
    assert trio.lowlevel.current_statistics().tasks_living <= tasks
    hosts = virtual_network._fabric.hosts.values()
    assert [stream for host in hosts for stream in host.streams] == []
    assert [listener for host in hosts for listener in host.listeners.values()] == []


@pytest.fixture
def rough(net: VirtualNetwork, dice: random.Random) -> Callable[..., None]:
    """Make the links between some hosts bad, but not so bad that TCP gives up."""
    return partial(make_rough, net, dice)
