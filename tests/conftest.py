"""What every test runs under: nothing is left behind, no real socket is on a mock clock, hypothesis repeats itself.

Warnings are errors (pyproject.toml), so an unclosed resource that is collected during a test fails
it. The guard here catches the ones that are still open when the test is over.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio.testing
from hypothesis import settings

# The same examples in every run: a red build is red for everybody. `HYPOTHESIS_PROFILE=explore` looks further.
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=2000, print_blob=True)
# Each once, or nearly: `nox -s tests_lowest`.
settings.register_profile("brief", settings.get_profile("repeatable"), max_examples=10)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

# A thread or a child that was told to end may need this long (seconds) to be gone, on a machine that is busy.
GRACE = 20.0

_failed_key = pytest.StashKey[bool]()
_fd_directory = next((path for path in ("/proc/self/fd", "/dev/fd") if os.path.isdir(path)), None)
_children_files = Path("/proc/self/task")


def open_fds() -> set[str]:
    """The file descriptors of this process, each with what it refers to."""
    found = set()
    for number in os.listdir(_fd_directory) if _fd_directory else ():
        try:
            found.add(f"fd {number}: {os.readlink(f'{_fd_directory}/{number}')}")
        except OSError:
            continue  # the one that listdir() itself had open
    return found


def running_threads() -> set[str]:
    """The threads of Python, but for trio's idle workers, which stay for 10 s to be used again."""
    return {
        f"thread {thread.name} ({thread.ident})"
        for thread in threading.enumerate()
        if not thread.name.startswith("Trio thread ")
    }


def child_processes() -> set[str]:
    """The children of this process, zombies included (Linux; elsewhere none are seen)."""
    found = set()
    for path in _children_files.glob("*/children"):
        try:
            found.update(f"child process {pid}" for pid in path.read_text().split())
        except OSError:
            continue  # that thread has just ended
    return found


def left_behind(before: set[str]) -> set[str]:
    """What there is now and was not before, after a moment of grace if there is anything."""
    deadline = time.monotonic() + GRACE
    while leaked := (open_fds() | running_threads() | child_processes()) - before:
        if time.monotonic() > deadline:
            return leaked
        time.sleep(0.01)
    return leaked


@pytest.fixture(autouse=True)
def leak_guard(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a file descriptor, a thread or a child process behind.

    No garbage collection comes first: what only a reference cycle keeps open is a leak as well.
    A test that failed is not examined; it had no chance to clean up.
    """
    before = open_fds() | running_threads() | child_processes()
    yield
    if request.node.stash.get(_failed_key, False):
        return
    if leaked := left_behind(before):
        # Let go of it now, quietly, that it may not be reported again in a test that did nothing wrong.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        pytest.fail("left behind: " + ", ".join(sorted(leaked)), pytrace=False)


# Tests that may use real sockets on a mock clock, and why; everybody else uses a VirtualNetwork.
REAL_SOCKETS_IN_VIRTUAL_TIME: dict[str, str] = {
    "transports/test_ipc_ownership.py::test_the_lock_of_the_directory_is_waited_for": (
        "the lock of a real directory is what is waited for; nothing is sent meanwhile"
    ),
    "transports/test_ipc_ownership.py::test_a_lock_that_is_never_released_cannot_keep_us_from_binding": (
        "the same; and how long it waits is asserted"
    ),
}

_mixed: list[str] = []


def refuse_real_sockets_in_virtual_time(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: the clock would jump while something is on its way through the kernel."""
    if event not in ("socket.bind", "socket.connect"):
        return
    try:
        clock = trio.lowlevel.current_clock()
    except RuntimeError:
        return  # not in a trio run
    test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0].partition("[")[0].removeprefix("tests/")
    if isinstance(clock, trio.testing.MockClock) and test not in REAL_SOCKETS_IN_VIRTUAL_TIME:
        _mixed.append(f"{event}({arguments[1]!r})")
        raise RuntimeError(f"{_mixed[-1]} on a mock clock: use triomq.testing.VirtualNetwork, or real time")


sys.addaudithook(refuse_real_sockets_in_virtual_time)


@pytest.fixture(autouse=True)
def clock_guard() -> Iterator[None]:
    """Fail a test that uses a real socket in virtual time, even if it swallows what it is told then."""
    _mixed.clear()
    yield
    if _mixed:
        pytest.fail("real sockets on a mock clock: " + ", ".join(_mixed), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if report.when == "call":
        item.stash[_failed_key] = report.failed
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave soak tests out, unless ``-m`` was given and decides."""
    if config.getoption("markexpr"):
        return
    soak = [item for item in items if item.get_closest_marker("soak")]
    if soak:
        config.hook.pytest_deselected(items=soak)
        items[:] = [item for item in items if not item.get_closest_marker("soak")]


@pytest.fixture(autouse=True, scope="module")
def little_to_collect() -> None:
    """Spare the garbage collector what stays until the end: what pytest has loaded, and its reports of earlier tests.

    That is nearly all there is. Tests that measure memory, or look for cycles, collect hundreds of times.
    """
    gc.collect()
    gc.freeze()
