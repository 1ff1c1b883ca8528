"""What few programs use is imported when it is asked for: every program pays for what comes with ``import triomq``."""

from __future__ import annotations

import json
import subprocess
import sys
import typing

import pytest

import triomq
import triomq.abc
from triomq._public import later

LATER = {
    "triomq._connections._between_runs", "triomq._connections._inproc", "triomq._connections._multicast",
    "triomq._connections._stream_carrier", "triomq._options._arguments", "triomq._patterns._fair",
    "triomq._patterns._publisher", "triomq._patterns._round_robin", "triomq._pipes._inproc_pipe",
    "triomq._pipes._queued_pipe", "triomq._security._origin", "triomq._security._verdict",
    "triomq._sockets._pipeline", "triomq._statistics._snapshots", "triomq._tools", "triomq._transports._groups",
    "triomq._transports._ipc", "triomq._transports._tcp", "triomq.abc", "triomq.auth", "triomq.pgm",
    "triomq.zmtp._connection", "triomq.zmtp._curve", "triomq.zmtp._plain", "nacl",
    "triomq.testing", "triomq._cli", "difflib", "json", "numbers", "argparse",
}  # fmt: skip
MOST_MODULES = 82
"""of triomq, that the import brings; each costs some 0.1 ms beside what it does"""


def in_a_fresh_process(program: str) -> typing.Any:
    """What a program prints as JSON."""
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def imported_by(statements: str) -> set[str]:
    report = "names = list(sys.modules)\nimport json\nprint(json.dumps(names))"
    return set(in_a_fresh_process(f"import sys\n{statements}\n{report}"))


def test_the_import_brings_what_every_program_needs() -> None:
    brought = imported_by("import triomq")
    assert {"triomq._context", "triomq._sockets._socket"} <= brought
    assert not LATER & brought
    ours = [name for name in brought if name.partition(".")[0] == "triomq"]
    assert len(ours) <= MOST_MODULES, sorted(ours)


def test_one_kind_of_socket_does_not_bring_the_others() -> None:
    brought = imported_by("import triomq; triomq.PUSH")
    assert "triomq._sockets._pipeline" in brought
    assert not {"triomq._sockets._req", "triomq._patterns._router", "triomq._sockets._subscribing"} & brought


@pytest.mark.parametrize(
    ("endpoint", "needed", "others"),
    [
        (
            "tcp://127.0.0.1:1",
            {"triomq._connections._stream_carrier", "triomq._transports._tcp", "triomq.zmtp._connection"},
            {"triomq._connections._inproc", "triomq._connections._between_runs", "triomq._connections._multicast"},
        ),
        (
            "inproc://a",
            {"triomq._connections._inproc", "triomq._pipes._inproc_pipe"},
            {"triomq._connections._stream_carrier", "triomq._transports._tcp", "triomq.zmtp._connection", "triomq.pgm"},
        ),
    ],
)
def test_an_endpoint_brings_what_carries_its_scheme(endpoint: str, needed: set[str], others: set[str]) -> None:
    """And no carrier of another one."""
    program = f"""
import trio, triomq
async def main():
    async with triomq.open_context() as ctx:
        before = set(sys.modules)
        ctx.socket(triomq.PUSH, linger=0).connect({endpoint!r})
        assert not {needed!r} & before
trio.run(main)
"""
    brought = imported_by(program)
    assert needed <= brought
    assert not others & brought


@pytest.mark.parametrize("module", ["triomq", "triomq.abc", "triomq.zmtp"])
def test_each_public_name_is_there_first_of_all(module: str) -> None:
    """Each in the state that the import leaves, as the names that came before it are taken away again."""
    program = f"""
import importlib, json, {module}
module = importlib.import_module({module!r})
first = set(vars(module))
told = {{}}
for name in module.__all__:
    thing = getattr(module, name)
    told[name] = getattr(thing, "__module__", None) if isinstance(thing, type) else None
    for extra in set(vars(module)) - first:
        delattr(module, extra)
print(json.dumps(told))
"""
    told = in_a_fresh_process(program)
    assert set(told) == set(vars(sys.modules[module])["__all__"])
    private = {name: place for name, place in told.items() if place and place.startswith("triomq._")}
    assert not private, "a class says where it is public"


def test_a_star_and_help_find_all_names() -> None:
    program = """
import json, pydoc, triomq
listed = dir(triomq)
text = pydoc.render_doc(triomq, renderer=pydoc.plaintext)
from triomq import *
print(json.dumps([listed, "class JobSender" in text, "class PUSH" in text, PUSH.__name__, JobSender.__module__]))
"""
    listed, *rest = in_a_fresh_process(program)
    assert set(triomq.__all__) <= set(listed)
    assert rest == [True, True, "PUSH", "triomq"]


def test_the_types_of_methods_can_be_looked_up() -> None:
    assert typing.get_type_hints(triomq.PUSH.statistics)["return"] is triomq.SocketStatistics
    assert typing.get_type_hints(triomq.Context.statistics)["return"] is triomq.ContextStatistics


@pytest.mark.parametrize(
    "name",
    ["ContextStatistics", "SocketStatistics", "PeerStatistics", "Rates", "JobStatistics", "ProxyStatistics"],
)
def test_the_types_of_fields_can_be_looked_up_first_of_all(name: str) -> None:
    program = f"""
import json, typing, triomq
print(json.dumps(list(typing.get_type_hints(triomq.{name}))))
"""
    assert in_a_fresh_process(program)


def test_what_is_public_says_so_whoever_asked_for_it_first() -> None:
    """A program has objects of classes whose names it never wrote."""
    program = """
import json, trio, triomq
from triomq import _security
async def main():
    async with triomq.open_context() as ctx:
        things = [ctx.statistics(), ctx.socket(triomq.PUSH).statistics(), _security.own_process(), _security.Deny()]
    print(json.dumps([type(thing).__module__ for thing in things if thing is not None]))
trio.run(main)
"""
    assert set(in_a_fresh_process(program)) == {"triomq"}


def test_a_mechanism_names_its_keys_by_their_public_name() -> None:
    program = """
import json, triomq
from triomq.zmtp._curve import KeyPair
triomq.Curve
print(json.dumps(KeyPair.__module__))
"""
    assert in_a_fresh_process(program) == "triomq"


def test_a_name_that_is_not_there_is_refused_by_that_name() -> None:
    with pytest.raises(AttributeError, match=r"module 'triomq\.abc' has no attribute 'Courier'"):
        triomq.abc.Courier  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="module 'triomq' has no attribute '_nope'"):
        triomq._nope  # type: ignore[attr-defined]


def test_a_failure_inside_what_is_imported_later_is_told_as_it_is() -> None:
    bring = later("triomq", {"._version": ["nothing_of_this_name"]})
    with pytest.raises(AttributeError, match=r"module 'triomq\._version' has no attribute 'nothing_of_this_name'"):
        bring("nothing_of_this_name")
