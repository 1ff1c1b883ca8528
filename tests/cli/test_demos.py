"""The other demos: what they show is true, and what is wrong they notice."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import trio

from triomq._cli._demos import _pipeline, _pubsub, _restart, _virtual
from triomq._cli._demos._stage import Outcome, show
from triomq._cli._live import Rate

from .shell import PATIENCE, run


@pytest.mark.slow
async def test_pubsub_counts_what_the_slow_one_missed() -> None:
    with trio.fail_after(PATIENCE):
        outcome = await _pubsub.play(0.3)
    assert outcome.faults == []
    assert re.search(r"^everything +\(all\) +[1-9]", outcome.text, re.MULTILINE)


def test_pubsub_notices_what_is_missing() -> None:
    happened = _pubsub._Run(dropped=1, seconds=1.0)
    happened.published["news."] = 10
    news, slow = (
        _pubsub._Subscriber("news", "news.", received=8, unordered=1),
        _pubsub._Subscriber("slow", "", slow=True),
    )
    assert _pubsub._judge(happened, [news, slow]).faults == [
        "news: 1 messages out of order, or twice",
        "news: 2 messages are missing",
        "12 messages are missing, and the publisher has counted 1",
    ]


@pytest.mark.slow
async def test_pipeline_does_each_job_once() -> None:
    with trio.fail_after(PATIENCE):
        outcome = await _pipeline.play(20, 2)
    assert outcome.faults == []
    assert outcome.right == "Each of the 20 jobs was done, once."


def test_pipeline_notices_a_lost_job_and_an_idle_worker() -> None:
    done = _pipeline._Done(Counter({0: 1, 1: 2}), Counter({"worker-1": 3}), seconds=1.0)
    assert _pipeline._judge(done, 3, 2).faults == [
        "1 jobs were never done, and 1 more than once",
        "1 workers had nothing to do",
    ]


@pytest.mark.slow
async def test_restart_answers_every_request() -> None:
    with trio.fail_after(PATIENCE):
        outcome = await _restart.play(1.6)  # the server is up for a quarter of this at a time
    assert outcome.faults == []
    assert outcome.text.count("the server is back") == outcome.text.count("the client has its first reply") == 3


def test_virtual_draws_the_same_picture_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert _virtual.run_demo(seed=2, width=100) == 0
    first = capsys.readouterr().out
    assert "crash (power)" in first
    assert "Both replies are right" in first
    assert _virtual.run_demo(seed=2, width=100) == 0
    assert capsys.readouterr().out == first


def test_a_fault_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    async def play() -> Outcome:
        await trio.lowlevel.checkpoint()
        return Outcome("a table", ["two and two are five"], "all right")

    assert show("a heading", play) == 1
    assert capsys.readouterr().out == "a heading\na table\nWRONG: two and two are five\n"


async def test_a_rate_is_of_the_last_second(autojump_clock: trio.abc.Clock) -> None:
    rate = Rate()
    assert rate.of(0) == 0
    for second in range(1, 4):
        await trio.sleep(0.5)
        rate.of(second * 1000 - 500)
        await trio.sleep(0.5)
        assert rate.of(second * 1000) == 1000


@pytest.mark.slow
def test_the_commands_of_a_terminal_without_unicode() -> None:
    ended = run("demo", "virtual", LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    assert (ended.code, ended.errors) == (0, "")
    assert b"crash (power)" in ended.output


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_bench_measures_between_two_processes(transport: str) -> None:
    ended = run("bench", "--seconds", "0.1", "--size", "100", "--transport", transport)
    assert (ended.code, ended.errors) == (0, "")
    text = ended.output.decode("utf-8")
    assert f"Two processes over {transport}, 100 bytes in a message." in text
    rate, median = re.findall(r"^  (?:one way|round trip) +([\d,]+) ", text, re.MULTILINE)
    assert int(rate.replace(",", "")) > 0
    assert int(median.replace(",", "")) > 0
