"""Every piece of Python in README.md and docs/ runs, with real sockets.

How a piece is run is told by its class in the page (``:class:`` of ``code-block``; README.md has whole programs only):

* none, and ``trio.run(`` or ``triomq.testing.run(`` is in it: a program; if the next block is of class ``output``,
  that is what it prints;
* none otherwise: the body of ``async with triomq.open_context() as ctx:``;
* ``together``: a program that runs beside those of the same class that follow it, until the last has ended;
* ``virtual``: the body of a function that `triomq.testing.run` gives a virtual network, ``net``;
* ``fragment``: not whole, or for another library; it is only compiled;
* ``file``, ``more`` and ``instead``: steps of a lesson, which test_lessons.py follows; here they are only compiled.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import math
import re
import socket
import textwrap
from pathlib import Path
from typing import NamedTuple

import pytest
import trio

import triomq
import triomq.testing

ROOT = Path(__file__).parents[2]
SECONDS = 60  # far more than any of them needs: no hang lasts longer
HOURS = 24 * 3600  # on a mock clock
RST = re.compile(r"^( *)\.\. code-block:: (\w+)\n((?:\1   :.*\n)*)((?:\1   .*\n| *\n)+)", re.MULTILINE)
MARKDOWN = re.compile(r"^()```(python)\n()(.*?)^```", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    where: str
    language: str
    kind: str
    code: str


def blocks(path):
    text = path.read_text(encoding="utf-8")
    for match in (RST if path.suffix == ".rst" else MARKDOWN).finditer(text):
        _, language, options, code = match.groups()
        kind = re.search(r":class: (\w+)", options)
        line = text.count("\n", 0, match.start(4)) + 1
        where = f"{path.relative_to(ROOT)}:{line}"
        yield Block(where, language, kind[1] if kind else "", textwrap.dedent(code).strip("\n") + "\n")


def cases():
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.rst")), *sorted((ROOT / "docs").rglob("*.md"))]:
        found = [block for block in blocks(path) if block.language == "python" or block.kind == "output"]
        index = 0
        while index < len(found):
            group = [found[index]]
            index += 1
            while group[0].kind == "together" and index < len(found) and found[index].kind == "together":
                group.append(found[index])
                index += 1
            output = None
            if index < len(found) and found[index].kind == "output":
                output = found[index].code
                index += 1
            yield pytest.param(group, output, id=group[0].where)


def compiled(block):
    return compile(block.code, block.where, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


async def run_body(block):
    async with triomq.open_context() as ctx:
        result = eval(compiled(block), {"ctx": ctx, "trio": trio, "triomq": triomq, "math": math})
        if inspect.iscoroutine(result):
            await result


async def run_on_network(net, block):
    result = eval(compiled(block), {"net": net, "trio": trio, "triomq": triomq, "math": math})
    if inspect.iscoroutine(result):
        await result


def mains(group, monkeypatch):
    """Execute programs up to their ``trio.run``. Returns: what they would have run."""
    found = []
    monkeypatch.setattr(trio, "run", lambda main, *args, **options: found.append((main, args, options)))
    for block in group:
        exec(compiled(block), {"__name__": "__main__"})
    monkeypatch.undo()
    assert len(found) == len(group)
    return found


async def run_together(programs):
    async with trio.open_nursery() as nursery:
        for main, args, _ in programs[:-1]:
            nursery.start_soon(main, *args)
        main, args, _ = programs[-1]
        await main(*args)
        nursery.cancel_scope.cancel()


async def in_time(seconds, function, *args):
    with trio.fail_after(seconds):
        await function(*args)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def on_free_ports(group):
    """Give the programs ports that nobody has, in place of those that read well."""
    ports = {}
    for port in re.findall(r":(5\d\d\d)\b", "".join(block.code for block in group)):
        ports.setdefault(port, str(free_port()))
    return [
        block._replace(code=re.sub(r":(5\d\d\d)\b", lambda match: ":" + ports[match[1]], block.code)) for block in group
    ]


@pytest.mark.parametrize(("group", "output"), list(cases()))
def test_code(group, output, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    if group[0].kind in ("fragment", "file", "more", "instead"):
        compiled(group[0])
        return
    group = on_free_ports(group)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        if group[0].kind == "virtual":
            triomq.testing.run(run_on_network, group[0])
        elif group[0].kind == "together":
            trio.run(in_time, SECONDS, run_together, mains(group, monkeypatch))
        elif "triomq.testing.run(" in group[0].code:
            exec(compiled(group[0]), {"__name__": "__main__"})
        elif "trio.run(" in group[0].code:
            ((main, args, options),) = mains(group, monkeypatch)
            trio.run(in_time, HOURS if "clock" in options else SECONDS, main, *args, **options)
        else:
            trio.run(in_time, SECONDS, run_body, group[0])
    if output is not None:
        assert printed.getvalue() == output


def test_only_known_classes():
    kinds = {block.kind for path in (ROOT / "docs").rglob("*.rst") for block in blocks(path)}
    assert kinds <= {"", "output", "together", "fragment", "virtual", "file", "more", "instead", "seen"}
