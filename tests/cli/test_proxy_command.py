"""`triomq proxy`: two sockets, and what goes through them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

import triomq
from triomq._cli._exits import UsageError
from triomq._cli._proxy import Side, read_side

from .conftest import OpenSocket
from .shell import error_line_of, finish, line_of, run, start

SIDES = [
    ("router:tcp://*:5559", triomq.ROUTER, False, ("tcp://*:5559",)),
    ("xsub://*:5556", triomq.XSUB, False, ("tcp://*:5556",)),
    ("pull:bind::5557", triomq.PULL, False, ("tcp://127.0.0.1:5557",)),
    ("push:connect:ipc:///run/a,tcp://host:1", triomq.PUSH, True, ("ipc:///run/a", "tcp://host:1")),
    ("sub:connect://host:5556", triomq.SUB, True, ("tcp://host:5556",)),
    ("dealer:/run/it", triomq.DEALER, False, ("ipc:///run/it",)),
]


@pytest.mark.parametrize(("text", "kind", "connects", "endpoints"), SIDES)
def test_a_side(text: str, kind: type[triomq.Socket], connects: bool, endpoints: tuple[str, ...]) -> None:
    assert read_side(text) == Side(kind=kind, connects=connects, endpoints=endpoints)


@pytest.mark.parametrize("text", ["tcp://*:5559", "router", "router:", "frob:tcp://*:1"])
def test_what_is_no_side(text: str) -> None:
    with pytest.raises(UsageError, match=r"a side of a proxy is TYPE:ENDPOINT, such as xsub:tcp://\*:5556"):
        read_side(text)


@pytest.mark.slow
@pytest.mark.interop
def test_requests_pass_and_are_shown(tmp_path: Path, partner: OpenSocket) -> None:
    front, back = f"ipc://{tmp_path}/front", f"ipc://{tmp_path}/back"
    with start("proxy", f"router:{front}", f"dealer:connect:{back}", "--capture", "-o", "router_handover=1") as process:
        assert error_line_of(process) == f"triomq proxy: ROUTER is bound to {front}\n"
        rep = partner("REP", bind=back)
        req = partner("REQ", connect=front, routing_id=b"client")
        req.send(b"\0question")
        assert line_of(process) == b"> client\t\t\\x00question\n"
        rep.send(b"answer to " + rep.recv())
        assert req.recv() == b"answer to \0question"
        assert line_of(process) == b"< client\t\tanswer to \\x00question\n"
        process.send_signal(signal.SIGTERM)
        ended = finish(process)
    assert ended.errors.endswith("triomq proxy: passed on 1 forward and 1 backward; 0 for nobody\n")
    assert ended.code == 143


@pytest.mark.slow
def test_sides_that_do_not_fit() -> None:
    ended = run("proxy", "pub://127.0.0.1:0", "push://127.0.0.1:0", "-q")
    assert ended.code == 64
    assert "neither sends what the other receives" in ended.errors
    ended = run("proxy", "router://127.0.0.1:0", "dealer://127.0.0.1:0", "-o", "conflated=1")
    assert ended.errors == (
        "triomq proxy: -o conflated=1: there is no such option; 'triomq options router' lists all\n"
    )
