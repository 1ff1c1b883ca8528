"""Pages that a reader follows step by step with pytest: followed here, in an empty directory, as printed.

A step is a block with one of these classes (``:class:``), and a file's name for its caption:

* ``file``: the file's whole text;
* ``more``: goes at the end of the file;
* ``instead``: a function that takes the place of the one of its name in the file.

Where a ``console`` block says ``$ pytest``, it is run on what there is by then, and every line below is one that it
prints (… stands for anything, times may differ). The lines of class ``seen`` are in the last run's output, too, but for
their numbers: a program that does the same a moment later is no other program. A page without a ``console`` block has
its tests run at the end, and all pass.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

import triomq

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^( *)\.\. code-block:: (python|console)\n((?:\1   :.*\n)*)((?:\1   .*\n| *\n)+)", re.MULTILINE)
STEPS = {"file", "more", "instead"}
MOST_SECONDS = 3.0  # of processor time for one test of a lesson; those about an hour take a quarter of one
TUTORIAL = DOCS / "tutorial" / "test-your-reconnect.rst"

# A plugin for pytest that adds up the processor time of the tests, fixtures included.
METER = """
import json, time, pytest
used = {}
@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    start = time.process_time()
    try:
        return (yield)
    finally:
        used[item.name] = time.process_time() - start
def pytest_sessionfinish():
    with open("used.json", "w") as file:
        json.dump(used, file)
"""


class Step(NamedTuple):
    kind: str
    file: str
    text: str


def steps(page: Path) -> Iterator[Step]:
    for _, language, options, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        kind = re.search(r":class: (\w+)", options)
        file = re.search(r":caption: (\S+)", options)
        text = textwrap.dedent(text).strip("\n") + "\n"
        if language == "console":
            yield Step(kind[1] if kind else "console", "", text)
        elif kind and kind[1] in STEPS:
            assert file, f"{page.name}: a step without the name of a file"
            yield Step(kind[1], file[1], text)


def put_in_place(text: str, function: str) -> str:
    """The text of a module, with another function in place of the one of its name."""
    (wanted,) = ast.parse(function).body
    nodes = [node for node in ast.walk(ast.parse(text)) if getattr(node, "name", "") == wanted.name]
    assert len(nodes) == 1, f"{wanted.name} is there {len(nodes)} times"
    lines = text.splitlines(keepends=True)
    lines[nodes[0].lineno - 1 : nodes[0].end_lineno] = [textwrap.indent(function, " " * nodes[0].col_offset)]
    return "".join(lines)


_seconds = count(1_000_000_000)


def write(path: Path, text: str) -> None:
    """Write a module so that Python sees that it is another one than a moment ago: it compares whole seconds."""
    path.write_text(text)
    os.utime(path, (second := next(_seconds), second))


def take(directory: Path, step: Step) -> None:
    path = directory / step.file
    if step.kind == "file":
        write(path, step.text)
    elif step.kind == "more":
        write(path, path.read_text() + "\n" + step.text)
    else:
        write(path, put_in_place(path.read_text(), step.text))


def run_pytest(directory: Path, *arguments: str) -> str:
    write(directory / "meter.py", METER)
    # As for a reader who has no settings; the plugin is found by itself where triomq is installed.
    arguments = ("-c", os.devnull, "--rootdir", str(directory), "-p", "no:cacheprovider", "-p", "meter", *arguments)
    paths = [str(Path(triomq.__file__).parents[1]), str(directory)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "triomq.testing.pytest_plugin", *arguments],
        cwd=directory,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "COLUMNS": "80",
            "PYTHONUTF8": "1",
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.stdout + done.stderr


def missing(wanted: str, output: str, *, any_number: bool = False) -> list[str]:
    """The lines of an excerpt that a run did not print, in that order."""
    absent = []
    position = 0
    for line in wanted.splitlines():
        if line in ("", "…"):
            continue
        line = re.sub(r"\d+" if any_number else r"(?<=in )\d+\.\d+(?=s$)", "…", line)
        pattern = ".*".join(map(re.escape, line.strip().split("…")))
        found = re.compile(pattern).search(output, position)
        if found is None:
            absent.append(line)
        else:
            position = found.end()
    return absent


def follow(page: Path, directory: Path) -> None:
    """Take every step of a page, and look whether pytest prints what the page says."""
    output = ""
    for step in steps(page):
        if step.kind in STEPS:
            take(directory, step)
        elif step.kind == "console" and step.text.startswith("$ pytest"):
            command, _, wanted = step.text.partition("\n")
            output = run_pytest(directory, *command.split()[2:])
            assert missing(wanted, output) == [], output
        elif step.kind == "seen":
            assert missing(step.text, output, any_number=True) == [], output
    if not output:
        output = run_pytest(directory, "-q")
        assert " passed in " in output, output
        assert "failed" not in output, output


LESSONS = [page for page in sorted(DOCS.rglob("*.rst")) if any(step.kind in STEPS for step in steps(page))]


@pytest.mark.parametrize("page", LESSONS, ids=lambda page: page.stem)
def test_a_lesson_as_printed(page: Path, tmp_path: Path) -> None:
    """And none of its tests takes more than a moment of a processor, be it about an hour."""
    follow(page, tmp_path)
    used = json.loads((tmp_path / "used.json").read_text())
    assert max(used.values()) < MOST_SECONDS, used


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    """The tutorial's directory after its last step."""
    for step in steps(TUTORIAL):
        if step.kind in STEPS:
            take(tmp_path, step)
    return tmp_path


def test_the_body_has_five_lines(lesson: Path) -> None:
    tree = ast.parse((lesson / "test_prices.py").read_text())
    (test,) = [node for node in tree.body if getattr(node, "name", "") == "test_the_server_crashes"]
    assert test.end_lineno - test.lineno == 5


WITHOUT_RETRY = """
async def price(self, article):
    reply = await self._req.request(article.encode())
    return int(reply.text())
"""
REGISTER = """\
            async for event in events:
                if isinstance(event, triomq.HandshakeSucceeded):
                    await dealer.send(b"tell me")
"""


def without_retry(text: str) -> str:
    return put_in_place(text, WITHOUT_RETRY.lstrip())


def without_registering_again(text: str) -> str:
    assert text.count(REGISTER) == 1
    return text.replace(REGISTER, '            await dealer.send(b"tell me")\n')


def without_heartbeats(text: str) -> str:
    wanted = "triomq.DEALER, heartbeat_interval=1"
    assert text.count(wanted) == 1
    return text.replace(wanted, "triomq.DEALER")


def without_a_bound(text: str) -> str:
    assert text.count("send_hwm=100") == 1
    return text.replace("send_hwm=100", "send_hwm=0")


@pytest.mark.parametrize(
    ("mistake", "failing", "reason"),
    [
        (without_retry, "test_the_server_crashes", ["with trio.fail_after(10):", "trio.TooSlowError"]),
        (
            without_registering_again,
            "test_the_screen_after_a_bad_minute",
            ["assert {'tin': 7, 'zinc': 3} == {'tin': 8, 'zinc': 3}"],
        ),
        (
            without_heartbeats,
            "test_the_screen_after_a_bad_minute",
            ["assert {'tin': 7, 'zinc': 3} == {'tin': 8, 'zinc': 3}"],
        ),
        (without_a_bound, "test_an_hour_without_a_network", ["assert 3600 <= 100"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_mistake_fails_its_test_and_says_why(lesson: Path, mistake, failing: str, reason: list[str]) -> None:
    path = lesson / "prices.py"
    write(path, mistake(path.read_text()))
    output = run_pytest(lesson, "-q", "--triomq-seed=0")
    failed = re.findall(r"^FAILED test_prices.py::(\w+)", output, re.MULTILINE)
    # The server that is away is asked by the same client: it, too, may notice that the client does not ask again.
    assert [name for name in failed if name != "test_the_server_is_away"] == [failing], output
    assert len(failed) == 1 or mistake is without_retry, output
    assert missing("\n".join(reason), output) == [], output
