"""Teach Sphinx two habits of our docstrings: their sections, and names without a module.

A section begins with ``Args:``, ``Returns:``, ``Raises:``, ``Cancellation:`` or the like at the left margin. Its text
follows on the same line, or indented below. Sections become a field list.

A public class says that it is of the public module. So autodoc looks there for the comments of its attributes, and has
to be given the source of the private modules in place of the public one's.

Sphinx looks up a name in single backquotes in triomq, then in trio and Python. This module builds the addresses of trio
and Python, so the documentation builds without a network.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer

import triomq

SECTION = re.compile(r"(Args(?: \(.*\))?|Returns|Raises|Cancellation|Attributes):(?:\s+(.*))?$")
ENTRY = re.compile(r"([\w., ]+?): (.*)")

TRIO = "https://trio.readthedocs.io/en/stable/"
TRIO_PAGES = {
    "reference-core": {
        "trio.BrokenResourceError", "trio.BusyResourceError", "trio.Cancelled", "trio.CancelScope",
        "trio.ClosedResourceError", "trio.EndOfChannel", "trio.Nursery", "trio.TaskStatus", "trio.TooSlowError",
        "trio.WouldBlock", "trio.abc.Channel", "trio.abc.ReceiveChannel", "trio.abc.SendChannel", "trio.fail_after",
        "trio.from_thread.run", "trio.from_thread.run_sync", "trio.move_on_after", "trio.open_memory_channel",
        "trio.to_thread.run_sync", "trio.run", "trio.current_time", "trio.sleep",
    },
    "reference-io": {
        "trio.abc.AsyncResource", "trio.abc.Stream", "trio.SSLStream", "trio.aclose_forcefully", "trio.run_process",
    },
    "reference-testing": {
        "trio.testing.MockClock", "trio.testing.wait_all_tasks_blocked", "trio.testing.memory_stream_pair",
        "trio.testing.check_two_way_stream",
    },
}  # fmt: skip
PYTHON = "https://docs.python.org/3/library/"
PYTHON_PAGES = {
    "exceptions": {
        "OSError", "TypeError", "ValueError", "RuntimeError", "Exception", "UnicodeDecodeError", "FileExistsError",
        "KeyboardInterrupt", "ConnectionError", "AssertionError",
    },
    "stdtypes": {"bytes", "str", "int", "float", "bool", "list", "tuple", "dict", "bytearray", "memoryview", "set"},
    "functions": {"type", "repr"},
    "constants": {"None"},
    "typing": {"typing.Self", "Self", "Any", "typing.Any", "Unpack", "typing.Unpack", "TypeVar", "typing.TypeVar"},
    "random": {"random.Random", "Random"},
    "os": {"os.PathLike"},
    "pathlib": {"pathlib.Path"},
    "contextlib": {"contextlib.AbstractContextManager", "contextlib.AbstractAsyncContextManager"},
    "json": {"json.JSONDecodeError"},
    "collections.abc": {
        "Iterable", "Iterator", "AsyncGenerator", "Awaitable", "Mapping", "Sequence", "Callable",
    },
}  # fmt: skip
ADDRESSES = {
    **{name: f"{TRIO}{page}.html#{name}" for page, names in TRIO_PAGES.items() for name in names},
    **{
        name: f"{PYTHON}{page}.html#{name if '.' in name or page != 'collections.abc' else f'collections.abc.{name}'}"
        for page, names in PYTHON_PAGES.items()
        for name in names
    },
}

# Where a bare name of triomq may live, besides the class that mentions it.
HOMES = ("", "SendSocket.", "ReceiveSocket.", "REQ.", "SUB.", "PUB.", "Socket.", "Context.", "abc.", "abc.Transport.",
         "abc.NonblockingStream.", "zmtp.", "zmtp.Connection.", "ProxyHandle.",
         "testing.", "testing.VirtualNetwork.", "testing.Recorder.")  # fmt: skip


# Names that docstrings mention and that have no entry of their own on these pages.
ATTRIBUTES = {"has_buffered", "parse_command"}
TYPE_VARIABLES = {"T", "S", "R", "Arguments"}
PRIVATE_MODULE = re.compile(r"\b_\w+\.")


def rewrite(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Turn the sections of a docstring into a field list."""
    written: list[str] = []
    inside = False
    for line in lines:
        if match := SECTION.fullmatch(line):
            title, rest = match.groups()
            if not inside:
                written.append("")
            inside = True
            written.append(f":{title}: {rest or ''}".rstrip())
        elif inside and line.strip():
            deeper = line.startswith("    ")
            entry = None if deeper else ENTRY.fullmatch(line.strip())
            if entry:
                written += ["", f"    {_names(entry[1], title)}: {entry[2]}"]
            else:
                written.append(f"    {line.strip()}")
        else:
            inside = inside and not line.strip()
            written.append(line)
    lines[:] = written


def _names(text: str, title: str) -> str:
    mark = "`" if title == "Raises" else "``"
    return ", ".join(f"{mark}{name}{mark}" for name in text.split(", "))


def resolve(app: Sphinx, env: BuildEnvironment, node: Any, contnode: nodes.Element) -> nodes.Element | None:
    """Find a name that Sphinx did not find."""
    target = PRIVATE_MODULE.sub("", node["reftarget"])
    domain = env.domains.python_domain
    for home in HOMES:
        name = f"triomq.{home}{target.removeprefix('triomq.')}"
        if name in domain.objects:
            return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", name, node, contnode)
    target = target.removeprefix("collections.abc.")
    if target in ADDRESSES:
        reference = nodes.reference("", "", internal=False, refuri=ADDRESSES[target])
        reference += contnode
        return reference
    return contnode if target in ATTRIBUTES or target.rpartition(".")[2] in TYPE_VARIABLES else None


def read_private_modules() -> None:
    """Take all that stands behind a public module for its source."""
    package = Path(triomq.__file__).parent
    rooms = {"triomq.zmtp": sorted((package / "zmtp").rglob("*.py"))}
    rooms["triomq"] = rooms["triomq.abc"] = [
        path for path in sorted(package.rglob("*.py")) if path.relative_to(package).parts[0] not in ("zmtp", "testing")
    ]
    for module, paths in rooms.items():
        source = "\n".join(path.read_text("utf-8") for path in paths)
        ModuleAnalyzer.cache["module", module] = ModuleAnalyzer.for_string(source, module)


def setup(app: Sphinx) -> dict[str, bool]:
    read_private_modules()
    app.connect("autodoc-process-docstring", rewrite)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True}
