"""Fields for formatters; and handlers that fail, that send, that nobody wants to hear."""

from __future__ import annotations

import inspect
import json
import logging
import subprocess
import sys
from typing import Any

import pytest
import trio

import triomq
from triomq._errors import RefusedByPeerError
from triomq._logs import Log, _words
from triomq.testing import VirtualNetwork

from .lines import written

FIELDS = {
    "event_type", "socket_type", "socket_name", "endpoint", "address", "peer_type", "routing_id", "reason", "count",
    "retry_in",
}  # fmt: skip
PLAIN = set(vars(logging.makeLogRecord({})))


async def everything(net: VirtualNetwork) -> None:
    """Lines of every kind that is easily had."""
    async with net.open_context() as ctx:
        router = ctx.socket(triomq.ROUTER, name="broker", heartbeat_interval=1)
        endpoint = await router.bind("tcp://127.0.0.1:0")
        workers = [ctx.socket(triomq.DEALER, routing_id=b"\xff1\n") for _ in range(2)]
        for worker in workers:
            worker.connect(endpoint)
        sub, push = ctx.socket(triomq.SUB), ctx.socket(triomq.PUSH, hwm=1)
        sub.connect(endpoint)
        push.connect("tcp://nobody:5555")
        await push.send(b"x")
        with trio.move_on_after(2):
            await push.send(b"x")


async def test_every_line_has_the_same_fields_and_none_is_loggings_own(virtual_network: VirtualNetwork) -> None:
    with written(logging.DEBUG) as lines:
        await everything(virtual_network)
    kinds = set()
    for record in lines.records:
        fields = set(vars(record)) - PLAIN - {"message", "asctime"}
        assert fields == FIELDS
        kinds.add(record.event_type)  # type: ignore[attr-defined]
        json.dumps({name: getattr(record, name) for name in FIELDS})
    assert kinds >= {"Listening", "Connected", "HandshakeSucceeded", "HandshakeFailed", "Disconnected", "ConnectFailed"}
    assert kinds >= {"MessageDropped", "Heartbeat", "HighWaterMarkReached", "Closed"}


async def test_the_fields_of_one_line(virtual_network: VirtualNetwork) -> None:
    with written(logging.INFO) as lines:
        await everything(virtual_network)
    record: Any = next(
        one
        for one in lines.records
        if (one.event_type, one.socket_name) == ("HandshakeSucceeded", "broker")  # type: ignore[attr-defined]
    )
    assert {name: getattr(record, name) for name in FIELDS} == {
        "event_type": "HandshakeSucceeded",
        "socket_type": "ROUTER",
        "socket_name": "broker",
        "endpoint": "tcp://127.0.0.1:49152",
        "address": record.address,
        "peer_type": "DEALER",
        "routing_id": r"\xff1\n",
        "reason": None,
        "count": 1,
        "retry_in": None,
    }
    assert record.address.startswith("tcp://localhost:")


class Broken(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise ZeroDivisionError("a bug of the program's handler")


@pytest.mark.parametrize("reports", [True, False])
async def test_a_handler_that_fails_ends_nothing(
    reports: bool,
    virtual_network: VirtualNetwork,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As in logging itself, it is told on stderr, unless `logging.raiseExceptions` is false."""
    monkeypatch.setattr(logging, "raiseExceptions", reports)
    broken = Broken()
    with written(logging.DEBUG) as lines:
        logging.getLogger("triomq").addHandler(broken)
        try:
            await everything(virtual_network)
        finally:
            logging.getLogger("triomq").removeHandler(broken)
        assert lines.records
    assert ("a bug of the program's handler" in capsys.readouterr().err) is reports


class Publishing(logging.Handler):
    """Sends each line by the socket that it may be about."""

    def __init__(self, pub: triomq.PUB) -> None:
        super().__init__()
        self._pub = pub

    def emit(self, record: logging.LogRecord) -> None:
        self._pub.send_nowait(record.getMessage().encode())


async def test_a_handler_may_send_by_a_socket_that_drops(virtual_network: VirtualNetwork) -> None:
    """A line about a drop, which is dropped, is no reason for another line."""
    async with virtual_network.open_context() as ctx:
        pub = ctx.socket(triomq.PUB, send_hwm=1)
        sub = ctx.socket(triomq.SUB, topics=[b""], receive_hwm=1)
        sub.connect(await pub.bind("inproc://log"))
        await pub.wait_subscribers(b"", 1)
        publishing = Publishing(pub)
        with written() as lines:
            logging.getLogger("triomq").addHandler(publishing)
            try:
                await pub.send_many([b"x"] * 10)
                await trio.sleep(600)
            finally:
                logging.getLogger("triomq").removeHandler(publishing)
            assert lines.texts()[0].partition(" for")[0].endswith("8 messages")
            assert len(lines.records) <= 10


def test_what_a_peer_says_is_escaped_and_cut() -> None:
    text = _words.why(RefusedByPeerError("the peer refused the handshake: \x1b[31mred\n" + "a" * 10_000))
    assert text.startswith(r"\x1b[31mred\na")
    assert len(text) < 320
    assert _words.why(RefusedByPeerError("no (at octet 7)")) == "no"
    assert _words.why(OSError(111, "Connection refused")) == "Connection refused"
    assert _words.why(trio.BrokenResourceError()) == "BrokenResourceError"
    assert _words.why(None) == "the connection was closed"


async def test_nothing_is_worked_out_for_a_level_that_nobody_hears(
    virtual_network: VirtualNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked: list[object] = []
    monkeypatch.setattr(Log, "_write", lambda *arguments, **_: worked.append(arguments))
    for name in ("why", "who", "dropped", "short", "messages"):
        monkeypatch.setattr(_words, name, lambda *arguments: worked.append(arguments))
    with written(logging.CRITICAL):
        await everything(virtual_network)
    assert worked == []


async def test_an_event_of_a_users_own_carrier_is_not_ours(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        with written(logging.DEBUG) as lines:
            Log().event(ctx.socket(triomq.PULL), object())  # type: ignore[arg-type]
        assert lines.texts() == []


def test_lines_go_to_stderr_if_the_program_sets_up_nothing() -> None:
    """Python's last resort writes warnings: nobody has to know of logging to see them."""
    program = "import trio, triomq\n" + inspect.getsource(_forgets) + "trio.run(_forgets)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stderr == (
        "PUSH inproc://nobody: 1 message was not sent within linger=0.01 s, and is dropped: nobody was connected\n"
    )


async def _forgets() -> None:
    async with triomq.open_context() as ctx:
        push = ctx.socket(triomq.PUSH, linger=0.01)
        push.connect("inproc://nobody")
        await push.send(b"x")
