"""What the plugin does so that a seed means the same run, and a run ends."""

from __future__ import annotations

import re

import pytest
import trio

from triomq.testing import VirtualNetwork, run

from .users_pytest import Done, Wanted, run_pytests

MANY_FIXTURES = """
import pytest, trio, triomq

def make(host):
    @pytest.fixture(name=host)
    async def sender(virtual_network):
        async with virtual_network.open_context(host) as ctx:
            push = ctx.socket(triomq.PUSH, linger=0)
            push.connect("tcp://localhost:5555")
            virtual_network.note("connects", host)
            yield push
    return sender

ada, grace, radia, barbara, frances = map(make, ["ada", "grace", "radia", "barbara", "frances"])

@pytest.mark.parametrize("time", range(12))
async def test_all(virtual_network, triomq_context, ada, grace, radia, barbara, frances, time):
    await trio.sleep(10)
    print("digest", virtual_network.digest())
"""

HANGS = """
import pytest, trio, triomq

@pytest.fixture
def triomq_time_limit():
    return 100.0

async def waits_below():
    await trio.sleep_forever()

async def ask(req):
    return await req.request(b"?")

async def test_hangs(virtual_network, triomq_context, nursery):
    nursery.start_soon(waits_below)
    req = triomq_context.socket(triomq.REQ, linger=0)
    req.connect("tcp://nobody:5555")
    await ask(req)
"""


BAD_MARKERS = ["", "0", "'many'", "3, 4", "count=3"]
RUNS = {
    "many fixtures": Wanted(MANY_FIXTURES, ("-s",)),
    "without pytest-trio": Wanted(HANGS, ("-p", "no:trio")),
    "not async": Wanted("def test_sync(virtual_network): pass"),
    "hangs": Wanted(HANGS),
    **{
        arguments: Wanted(
            f"import pytest\n@pytest.mark.virtual_seeds({arguments})\nasync def test_it(virtual_network): pass"
        )
        for arguments in BAD_MARKERS
    },
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    return run_pytests(tmp_path_factory.mktemp("users"), RUNS)


def test_the_order_of_fixtures_is_the_seeds(runs: dict[str, Done]) -> None:
    """pytest-trio starts them in the order of their addresses."""
    found = re.findall(r"digest (\w+)", runs["many fixtures"].output)
    assert len(found) == 12
    assert len(set(found)) == 1


def test_without_pytest_trio_the_report_says_what_is_missing(runs: dict[str, Done]) -> None:
    assert "pip install pytest-trio" in runs["without pytest-trio"].output


def test_a_test_that_is_not_async_is_named(runs: dict[str, Done]) -> None:
    report = runs["not async"].output
    assert "test_user.py::test_sync uses virtual_network, and such a test is an async function" in report


@pytest.mark.parametrize("arguments", BAD_MARKERS)
def test_a_marker_without_a_number_of_seeds_is_named(runs: dict[str, Done], arguments: str) -> None:
    assert "virtual_seeds takes the number of seeds, such as virtual_seeds(20)" in runs[arguments].output


def test_a_test_that_hangs_ends_and_says_where_it_waits(runs: dict[str, Done]) -> None:
    report = runs["hangs"].output
    assert "TooSlowError: not over after 100 s of virtual time" in report
    assert "triomq_time_limit" in report
    assert re.search(r"test_user.py:\d+ in test_hangs > test_user.py:\d+ in ask\n", report)
    assert re.search(r"\| +test_user.py:\d+ in waits_below\n", report)
    assert "1 failed" in report


def test_a_run_that_hangs_ends_by_itself() -> None:
    async def hang(net: VirtualNetwork) -> None:
        await trio.sleep_forever()

    with pytest.raises(trio.TooSlowError, match=r"14400 s of virtual time .*time_limit=(?s:.*) in hang"):
        run(hang)


def test_a_run_may_take_as_long_as_one_says() -> None:
    async def long(net: VirtualNetwork) -> str:
        await trio.sleep(3600)
        return "done"

    assert run(long, time_limit=4000) == "done"
    with pytest.raises(trio.TooSlowError, match="3000 s"):
        run(long, time_limit=3000)
