"""Where a test failed: the mark in the diagram stands before all that is torn down then."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork, run
from triomq.testing._network import mark_failure

from .users_pytest import Done, Wanted, run_pytests

Test = Callable[[VirtualNetwork], Awaitable[None]]


async def server() -> None:
    async with triomq.open_context() as ctx, ctx.socket(triomq.REP) as rep:
        await rep.bind("tcp://*:5555")
        async for question in rep:
            await rep.send(question)


def kinds_after_the_mark(test: Test, *errors: type[BaseException]) -> tuple[str, float, list[str]]:
    """The text of the mark, its time, and the kinds of the happenings behind it."""
    kept: list[VirtualNetwork] = []

    async def main(net: VirtualNetwork) -> None:
        kept.append(net)
        await test(net)

    with pytest.raises(errors):
        run(main, time_limit=1000)
    events = list(kept[0].recorder.events)
    (mark,) = kept[0].recorder.of_kind("failed")
    assert [it.time for it in events] == sorted(it.time for it in events)
    return mark.text, mark.time, [it.kind for it in events[events.index(mark) + 1 :]]


def test_before_a_context_that_lingers() -> None:
    async def test(net: VirtualNetwork) -> None:
        async with net.open_context("a") as ctx:
            push = ctx.socket(triomq.PUSH, linger=5)
            push.connect("tcp://b:5555")
            await push.send(b"unsent")
            net.link("a", "b")
            await trio.sleep(1)
            assert not push.endpoints, "a reason"

    text, time, kinds = kinds_after_the_mark(test, AssertionError)
    assert re.fullmatch(r"AssertionError at test_failures.py:\d+ in test", text)
    assert time == 1.0
    assert "refused" in kinds
    assert kinds[-1] == "context closed"


def test_before_programs_that_are_cancelled() -> None:
    async def test(net: VirtualNetwork) -> None:
        async with trio.open_nursery() as nursery:
            for host in "ab":
                nursery.start_soon(net.run_program, host, server)
            await trio.sleep(1)
            raise KeyError

    text, time, kinds = kinds_after_the_mark(test, ExceptionGroup)
    assert (text[:12], time) == ("KeyError at ", 1.0)
    assert kinds.count("listening stopped") == kinds.count("context closed") == 2


@pytest.mark.parametrize("where", ["inside", "outside"])
def test_where_a_time_limit_of_the_test_ends(where: str) -> None:
    async def test(net: VirtualNetwork) -> None:
        async with net.running("b", server):
            if where == "outside":
                with trio.fail_after(3):
                    async with net.open_context("a"):
                        await trio.sleep(9)
            async with net.open_context("a"):
                with trio.fail_after(3):
                    await trio.sleep(9)

    text, time, kinds = kinds_after_the_mark(test, trio.TooSlowError)
    assert text.startswith("TooSlowError at test_failures.py:")
    assert time == 3
    assert kinds.count("context closed") == 2


def test_where_the_time_limit_of_the_run_ends() -> None:
    async def test(net: VirtualNetwork) -> None:
        async with net.running("b", server):
            await trio.sleep_forever()

    text, time, kinds = kinds_after_the_mark(test, trio.TooSlowError)
    assert (text, time) == ("TooSlowError", 1000.0)
    assert kinds == ["socket event", "listening stopped", "context closed"]


def test_where_a_program_fails() -> None:
    async def fails() -> None:
        async with triomq.open_context():
            await trio.sleep(2)
            raise KeyError

    async def test(net: VirtualNetwork) -> None:
        async with net.running("a", fails), net.running("b", server):
            await trio.sleep_forever()

    text, time, kinds = kinds_after_the_mark(test, KeyError)
    assert (text.rpartition(" ")[2], time) == ("fails", 2.0)
    assert kinds.count("context closed") == 2


def test_a_failure_that_was_expected_is_none() -> None:
    async def test(net: VirtualNetwork) -> None:
        with pytest.raises(KeyError):
            async with net.open_context("a"):
                raise KeyError
        net.note("now it fails")
        await trio.sleep(1)
        raise ValueError

    text, time, kinds = kinds_after_the_mark(test, ValueError)
    assert (text[:13], time, kinds) == ("ValueError at", 1.0, [])


def test_a_crash_is_none() -> None:
    async def test(net: VirtualNetwork) -> None:
        async with net.running("a", server):
            await trio.sleep(1)
            net.crash("a")
            net.note("later")
            raise ValueError

    _, _, kinds = kinds_after_the_mark(test, ValueError)
    assert "note" not in kinds
    assert "crash" not in kinds


class Frozen(Exception):
    """Takes no attributes."""

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("__"):
            raise AttributeError(name)
        super().__setattr__(name, value)


def test_an_exception_that_takes_no_attributes() -> None:
    async def test(net: VirtualNetwork) -> None:
        async with net.open_context("a"):
            raise Frozen

    text, _, kinds = kinds_after_the_mark(test, Frozen)
    assert (text[:10], kinds) == ("Frozen at ", ["context closed"])


def test_one_exception_on_two_networks() -> None:
    """Its note of the first says nothing of the second."""
    error = KeyError("twice")

    async def test(net: VirtualNetwork) -> None:
        await trio.sleep(1)
        net.note("later")
        async with net.open_context("a"):
            raise error

    for _ in range(2):
        _, time, kinds = kinds_after_the_mark(test, KeyError)
        assert (time, kinds) == (1.0, ["context closed"])


async def test_a_run_that_is_only_cancelled(virtual_network: VirtualNetwork) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await trio.lowlevel.checkpoint()
        except trio.Cancelled as exc:
            for _ in range(2):
                mark_failure(virtual_network, exc)
            raise
    assert [it.text for it in virtual_network.recorder.of_kind("failed")] == ["cancelled"]


def test_the_mark_in_the_diagram() -> None:
    async def main(net: VirtualNetwork) -> None:
        kept.append(net)
        async with net.running("server", server), net.open_context("client") as ctx:
            req = ctx.socket(triomq.REQ, heartbeat_interval=2.0)
            req.connect("tcp://server:5555")
            await req.request(b"one")
            await trio.sleep(60)
            net.partition("server", "client", both_ways=False)
            with trio.fail_after(0.5):
                await req.request(b"two")

    kept: list[VirtualNetwork] = []
    with pytest.raises(trio.TooSlowError):
        run(main, seed=3)
    text = re.sub(r"\.py:\d+", ".py:N", kept[0].diagram().text())
    assert (
        text
        == """\
seed 3
 seconds   server                        client
   0.000   ┃<┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┃  connect tcp://server:5555  +2 ms
           ┃ bind tcp://server:5555      ┃
   0.002   ┃<───────── greeting ─────────┃  +1 ms
   0.003   ┃───────── greeting ─────────>┃  +1 ms
           ┃──────── READY REP ─────────>┃  +1 ms
   0.004   ┃<──────── READY REQ ─────────┃  +1 ms
           ┃<────── [b"", b"one"] ───────┃  +1 ms
   0.005   ┃────── [b"", b"one"] ───────>┃  +1 ms
   … 2 s   ┃                             ┃
   2.004   ⋮                             ⋮  heartbeats: PING × 30, PONG × 30, until 60.006
  60.006  ┈╏┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┃┈┈ partition, one way: server > client
           ╏<────── [b"", b"two"] ───────┃  +1 ms
  60.007   ╏──── [b"", b"two"] ─────✗    ┃  lost
  60.506  ━╏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┃━━ ✗ the test failed here: TooSlowError at test_failures.py:N in main
           ╏    …╌╌╌╌╌╌╌╌╌ end ╌╌╌╌╌╌╌╌╌╌┃  under way
  61.506   ╏ unbind tcp://server:5555    │
           ╏╌╌╌╌╌╌╌╌╌ end ╌╌╌╌╌╌╌╌╌╌✗    │  held
│ host  ┃ context open  ╎ ╏ partitioned  ░ paused  · down  ✗ lost or refused  ↻ sent again"""
    )


def test_a_full_recorder_has_room_for_the_mark() -> None:
    async def main() -> VirtualNetwork:
        net = VirtualNetwork(record=3)
        with pytest.raises(KeyError):
            async with net, net.open_context("a"):
                for number in range(9):
                    net.note(str(number))
                raise KeyError
        return net

    net = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert [it.kind for it in net.recorder.events] == ["note", "failed", "context closed"]
    assert (net.recorder.total, net.recorder.forgotten) == (12, 9)


def test_the_digest_tells_of_the_failure() -> None:
    async def main(net: VirtualNetwork, *, fail: bool) -> None:
        digests.append(net.digest)
        if fail:
            raise KeyError

    digests: list[Callable[[], str]] = []
    run(lambda net: main(net, fail=False))
    with pytest.raises(KeyError):
        run(lambda net: main(net, fail=True))
    assert digests[0]() != digests[1]()


TESTS = """
import pytest, trio, triomq

async def test_fails(virtual_network):
    async with virtual_network.open_context("a") as ctx:
        await ctx.socket(triomq.PULL).bind("tcp://*:5555")
        await trio.sleep(1)
        pytest.fail("on purpose")

async def test_is_skipped(virtual_network):
    async with virtual_network.open_context("skipper"):
        pytest.skip("not today")

async def broken():
    async with triomq.open_context():
        await trio.sleep(2)
        raise KeyError("a program's")

@pytest.fixture
async def program(virtual_network, nursery):
    nursery.start_soon(virtual_network.run_program, "p", broken)

async def test_whose_fixture_fails(virtual_network, program):
    async with virtual_network.open_context("a") as ctx:
        await trio.sleep_forever()

async def test_with_many_hosts(virtual_network):
    async with trio.open_nursery() as nursery:
        for number in range(100):
            nursery.start_soon(virtual_network.run_on, f"h{number}", serve)
        await trio.sleep(1)
        virtual_network.note("the cause")
        assert False

async def serve(ctx):
    for port in 5555, 5556:
        await ctx.socket(triomq.PULL).bind(f"tcp://*:{port}")
    await trio.sleep_forever()
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return run_pytests(tmp_path_factory.mktemp("users"), {"failures": Wanted(TESTS, ("--triomq-all-diagrams",))})[
        "failures"
    ]


def test_a_report_has_the_mark(done: Done) -> None:
    lines = done.output.splitlines()
    (mark,) = [number for number, line in enumerate(lines) if "failed here: Failed at test_user.py:8" in line]
    assert lines[mark].startswith("   1.000  ━┃━━ ✗ the test failed here")
    assert lines[mark - 1].endswith("┃ bind tcp://a:5555")
    assert lines[mark + 1].endswith("│ unbind tcp://a:5555") or lines[mark + 1].endswith("┃ unbind tcp://a:5555")


def test_a_report_says_where_a_program_of_a_fixture_failed(done: Done) -> None:
    assert "   2.000  ━┃━" in done.output
    assert "failed here: KeyError at test_user.py:17 in broken" in done.output


def test_a_report_shows_what_was_before_a_long_end(done: Done) -> None:
    report = done.output.partition("test_with_many_hosts ___")[2]
    assert "the cause" in report
    assert "later rows left out: the test had failed)" in report


def test_a_skipped_test_has_no_mark(done: Done) -> None:
    (path,) = (done.temporary / "triomq").glob("*is_skipped*.svg")
    assert "failed here" not in path.read_text("utf-8")
    (path,) = (done.temporary / "triomq").glob("*test_fails*.svg")
    assert "✗ the test failed here: Failed at test_user.py:8 in test_fails" in path.read_text("utf-8")
