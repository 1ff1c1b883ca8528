"""`triomq demo`: it says what it did, notices a lie, and ends when it is told to."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest
import trio

from triomq._cli import _main as command
from triomq._cli._demos import _requests
from triomq._cli._demos._requests import Plan, Tally, demo, faults, shout, table

DEMO = [sys.executable, "-W", "error", "-m", "triomq", "demo"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "triomq", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60)


def interrupt(moment: float, *numbers: signal.Signals, arguments: tuple[str, ...] = ("--seconds", "30")) -> str:
    """Signal a demo so many seconds after its first line; its output and exit code as one text.

    The seconds are a sample of moments; nothing depends on where the demo is by then.
    """
    with subprocess.Popen(
        [*DEMO, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", start_new_session=True
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(moment)
        for number in numbers:
            process.send_signal(number)
        rest = process.stdout.read()
        process.wait(60)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)  # it has left nobody behind
    return f"{first}{rest}exit {process.returncode}"


def number_in(line: str) -> int:
    return int(re.search(r"[\d,]+", line.split(maxsplit=1)[1])[0].replace(",", ""))


@pytest.mark.slow
def test_a_run_is_counted_in_a_table() -> None:
    done = run("demo", "--seconds", "0.5", "--clients", "4", "--workers", "2")
    assert done.stderr == ""
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    clients = [number_in(line) for line in lines if line.startswith("client-")]
    workers = [number_in(line) for line in lines if line.startswith("worker-")]
    (together,) = (number_in(line) for line in lines if line.startswith("together"))
    assert (len(clients), len(workers)) == (4, 2)
    assert sum(clients) == sum(workers) == together > 0
    assert f"{together:,} to workers, {together:,} back, 0 dropped" in done.stdout
    assert lines[-1].startswith("Every reply was right, nothing was lost, nothing came twice")
    assert "\r" not in done.stdout  # the live line is for terminals
    assert "\033" not in done.stdout


MOMENTS = [0.05, 0.3, *(random.Random(5559).uniform(0, 0.3) for _ in range(2))]


@pytest.mark.slow
@pytest.mark.parametrize("moment", [0.0, *MOMENTS])
def test_ctrl_c_ends_it_at_any_moment(moment: float) -> None:
    output = interrupt(moment, signal.SIGINT)
    assert output.endswith("exit 130")
    assert "Interrupted by SIGINT" in output
    assert "client-10" in output
    assert "WRONG" not in output
    assert "Traceback" not in output


@pytest.mark.slow
@pytest.mark.parametrize("moment", [0.15, *(random.Random(5560).uniform(0.18, 0.4) for _ in range(2))])
def test_ctrl_c_while_it_closes_is_no_crash_either(moment: float) -> None:
    output = interrupt(moment, signal.SIGINT, signal.SIGINT, arguments=("--seconds", "0.2"))
    assert re.search(r"exit (0|130)$", output), output
    assert "WRONG" not in output
    assert "Traceback" not in output


@pytest.mark.slow
def test_sigterm_ends_it_too() -> None:
    output = interrupt(0.2, signal.SIGTERM)
    assert output.endswith(f"exit {128 + signal.SIGTERM}")
    assert "Interrupted by SIGTERM" in output
    assert "Traceback" not in output


@pytest.mark.slow
def test_a_reader_who_has_seen_enough_is_no_crash() -> None:
    with subprocess.Popen([*DEMO, "--seconds", "0.1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_worker_that_lies_is_found_out(capsys: pytest.CaptureFixture[str]) -> None:
    asked = iter(range(1_000_000))

    def lie_once(question: bytes) -> bytes:
        return b"42" if next(asked) == 0 else shout(question)

    plan = Plan(seconds=0.05, clients=3, workers=2, work=lie_once)
    assert _requests.run_demo(plan, "1.0") == 1
    printed = capsys.readouterr().out
    assert re.search(r"WRONG: client-\d: the reply to b'question \d+ of client-\d' was Message\(.*b'42'\)", printed)
    assert "Every reply was right" not in printed


async def test_a_reply_that_never_comes_is_a_fault() -> None:
    def too_slow(_: bytes) -> bytes:
        time.sleep(0.06)
        return b""

    plan = Plan(seconds=0.1, clients=2, workers=1, patience=0.05, work=too_slow)
    tally = Tally.of(plan)
    with trio.fail_after(60):
        await demo(plan, tally)
    assert tally.right == 0
    assert any("no reply to b'question 1 of client-" in fault for fault in faults(tally))


def test_a_difference_between_the_counts_is_a_fault() -> None:
    tally = Tally.of(Plan(clients=1, workers=1))
    tally.complete = True
    assert faults(tally) == ["no client has asked anything"]
    tally.add_answer("client-1", 100, "")
    tally.forward = tally.workers["worker-1"] = tally.backward = 1
    assert faults(tally) == []
    tally.backward = 2
    tally.dropped = 1
    twice, dropped = faults(tally)
    assert "something was lost or came twice" in twice
    assert dropped == "1 messages were dropped"
    for _ in range(9):
        tally.add_answer("client-1", 100, "silence")
    assert "… and 4 more of these" in faults(tally)
    assert "10" in table(tally)


async def test_the_live_line_is_taken_away_again() -> None:
    class Terminal:
        written = ""

        def write(self, text: str) -> None:
            self.written += text

        def flush(self) -> None:
            pass

    terminal = Terminal()
    plan = Plan(seconds=0.15, clients=1, workers=1)
    await demo(plan, Tally.of(plan), terminal)
    assert re.search(r"replies, .* each second, all right", terminal.written)
    assert terminal.written.endswith("\r\033[K")


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 0
    assert "demo" in capsys.readouterr().out
    for arguments, said in [(["--version"], "triomq "), (["demo", "--help"], "Exit code")]:
        with pytest.raises(SystemExit) as left:
            command.main(arguments)
        assert left.value.code == 0
        assert said in capsys.readouterr().out
    for arguments in (["demo", "--clients", "0"], ["demo", "--seconds", "nan"], ["demo", "--workers", "x"]):
        with pytest.raises(SystemExit) as left:
            command.main(arguments)
        assert left.value.code == 64
        assert "above 0" in capsys.readouterr().err
