"""`triomq probe`: who is at an endpoint, or exactly why that cannot be known."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import pytest
import trio

import triomq
from triomq._cli._exits import Failure, UsageError
from triomq._cli._peer_greeting import read_greeting, read_ready
from triomq._cli._probe import Finding, describe_finding, probe

from .conftest import OpenSocket
from .shell import PATIENCE, run

zmq = pytest.importorskip("zmq")

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48)
READY_REP = b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03REP"
TYPES = ["REP", "ROUTER", "PUB", "XPUB", "SUB", "XSUB", "PULL", "PUSH", "DEALER", "PAIR", "REQ"]


def as_text(finding: Finding) -> str:
    """What is printed, without the milliseconds."""
    return re.sub(r"\d+\.\d\d ms", "N ms", "\n".join(describe_finding(finding)))


@pytest.mark.interop
@pytest.mark.parametrize("kind", TYPES)
async def test_every_type_of_libzmq_is_known(kind: str, endpoint: str, partner: OpenSocket) -> None:
    partner(kind, bind=endpoint)
    finding = await probe(endpoint, PATIENCE)
    assert (finding.socket_type, finding.version, finding.mechanism, finding.met) == (kind, (3, 1), "NULL", True)
    takes = kind in ("PUSH", "DEALER", "PAIR", "REQ")
    assert (finding.round_trip is None) == takes
    assert bool(finding.note) == takes


@pytest.mark.interop
async def test_a_push_loses_no_message_to_it(endpoint: str, partner: OpenSocket) -> None:
    push = partner("PUSH", bind=endpoint)
    assert (await probe(endpoint, PATIENCE)).met
    with pytest.raises(zmq.Again):
        push.send(b"work", zmq.NOBLOCK)  # nobody has come who could have it
    pull = partner("PULL", connect=endpoint)
    await trio.to_thread.run_sync(push.send, b"work")
    assert await trio.to_thread.run_sync(pull.recv) == b"work"


async def test_what_is_printed_of_a_peer_of_triomq(endpoint: str) -> None:
    async with triomq.open_context() as ctx:
        await ctx.socket(triomq.ROUTER, routing_id=b"me\n").bind(endpoint)
        assert as_text(await probe(endpoint, PATIENCE)) == (
            f"{endpoint}: ROUTER\n"
            "  speaks     ZMTP 3.1, mechanism NULL, which neither authenticates nor encrypts\n"
            "  talks to   DEALER, REQ, ROUTER\n"
            "  identity   me\\n\n"
            "  connected  in N ms\n"
            "  PING       answered in N ms"
        )
        await ctx.socket(triomq.PUSH).bind(endpoint + "2")
        text = as_text(await probe(endpoint + "2", PATIENCE))
        assert "  talks to   PULL\n" in text
        assert text.endswith("  PING       left out: a PUSH may give a new peer what is for others")


@pytest.mark.interop
async def test_another_mechanism_is_named(endpoint: str, partner: OpenSocket) -> None:
    partner("REP", bind=endpoint, plain_server=True)
    finding = await probe(endpoint, PATIENCE)
    assert not finding.met
    assert (finding.mechanism, finding.socket_type) == ("PLAIN", None)
    assert finding.note == "it wants the mechanism PLAIN: give a name and a password by --login FILE"


@pytest.mark.parametrize(
    ("mechanism", "as_server", "how"),
    [
        (b"CURVE", b"\0", "CURVE: give its public certificate by --server-key FILE"),
        (b"CURVE", b"\1", "CURVE, as its server: give its public certificate by --server-key FILE"),
        (b"GSSAPI", b"\0", "GSSAPI: probe does not speak that"),
    ],
)
async def test_what_to_do_about_each_mechanism(mechanism: bytes, as_server: bytes, how: str) -> None:
    greeting = GREETING[:12] + mechanism.ljust(20, b"\0") + as_server + bytes(31)
    finding = await meet(saying(greeting, stay=True))
    assert finding.note == f"it wants the mechanism {how}"


async def meet(answer: Callable[[trio.SocketStream], Awaitable[None]], patience: float = PATIENCE) -> Finding:
    """Probe a server that says what it is told to."""
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listener.socket.getsockname()[1]

        async def serve(stream: trio.SocketStream) -> None:
            async with stream:
                try:
                    await answer(stream)
                except trio.BrokenResourceError:
                    pass  # the probe has heard enough

        async with aclosing(listener):
            nursery.start_soon(trio.serve_listeners, serve, [listener])
            found = await probe(f"tcp://127.0.0.1:{port}", patience)
            nursery.cancel_scope.cancel()
    return found


def saying(data: bytes, *, stay: bool = False) -> Callable[[trio.SocketStream], Awaitable[None]]:
    async def answer(stream: trio.SocketStream) -> None:
        await stream.send_all(data)
        if not stay:
            await stream.send_eof()
        while await stream.receive_some():
            pass  # what is unread when a connection is closed would reset it

    return answer


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", r"it does not speak ZMTP 3: it said 'SSH-2.0-OpenSSH_9.6\r\n'"),
        (b"\x1b[2J" * 20, r"it does not speak ZMTP 3: it said '" + r"\x1b[2J" * 10 + "'..."),
        (b"", "it closed the connection in the middle of the handshake; it said nothing"),
        (GREETING[:10], r"; it had said '\xff\x00\x00\x00\x00\x00\x00\x00\x00\x7f'"),
        (b"\xff" + bytes(8) + b"\x7e", r"it does not speak ZMTP 3: it said '\xff"),
        (b"\xff" + bytes(8) + b"\x7f\x01", "it speaks ZMTP 2.0 (libzmq 3); 3.0 is the oldest spoken here"),
        (b"\xff" + bytes(8) + b"\x7f\x00", "it speaks ZMTP 1.0 (libzmq 2); 3.0 is the oldest spoken here"),
        (GREETING + b"\x00\x05hello", r"no command came after its greeting, but '\x00\x05hello'"),
        (GREETING + b"\x04\x05\x04PING", "the command 'PING' came where READY is due"),
        (GREETING + b"\x04\x07\x05READY\x00", "a metadata property without a name"),
        (GREETING + b"\x06" + (2**40).to_bytes(8, "big") + bytes(200_000), "it said more than 100000 bytes"),
    ],
)
async def test_why_there_is_no_peer(said: bytes, why: str) -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(Failure), flatten_subgroups=True) as failed:
        await meet(saying(said))
    text = str(failed.value.exceptions[0])
    assert text.startswith("tcp://127.0.0.1:")
    assert why in text


async def test_a_peer_that_says_nothing_takes_too_long() -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(Failure), flatten_subgroups=True) as failed:
        await meet(saying(b"", stay=True), 0.05)
    (failure,) = failed.value.exceptions
    assert "but the handshake was not over within 0.05 s; it said nothing" in str(failure)
    assert failure.code == 2


async def test_a_peer_that_answers_no_ping() -> None:
    """Its program may be computing."""
    with pytest.RaisesGroup(pytest.RaisesExc(Failure), flatten_subgroups=True) as failed:
        await meet(saying(GREETING.replace(b"\3\0", b"\3\1", 1) + READY_REP, stay=True), 0.5)
    (failure,) = failed.value.exceptions
    assert str(failure).endswith(": it completed the handshake as a REP, but answered no PING within 0.5 s")
    assert failure.code == 2


async def test_a_peer_that_waits_for_our_type_keeps_its_own_to_itself() -> None:
    finding = await meet(saying(GREETING, stay=True), 0.3)
    assert (finding.version, finding.mechanism, finding.socket_type, finding.met) == ((3, 0), "NULL", None, False)
    assert "waits for this side to say first" in finding.note


async def test_a_peer_that_refuses_says_why() -> None:
    finding = await meet(saying(GREETING + b"\x04\x0e\x05ERROR\x07go away"))
    assert not finding.met
    assert finding.note == "it refused the handshake: go away"


async def test_a_peer_of_zmtp_3_0_is_not_asked_for_a_pong() -> None:
    finding = await meet(saying(GREETING + READY_REP, stay=True))
    assert (finding.met, finding.socket_type, finding.round_trip) == (True, "REP", None)
    assert finding.note == "there is none in ZMTP 3.0"


async def test_a_type_that_nobody_knows() -> None:
    finding = await meet(saying(GREETING + READY_REP.replace(b"REP", b"R\xffP")))
    assert not finding.met
    assert finding.note == r"'R\xffP' is no type of socket that probe knows"


def test_a_greeting_and_what_follows_may_come_in_any_pieces() -> None:
    data = GREETING + READY_REP
    for length in range(len(data)):
        assert (read_greeting(data[:length]) is None) == (length < 64)
        assert read_ready(data[:length]) is None
    assert dict(read_ready(data)) == {"Socket-Type": b"REP"}


@pytest.mark.parametrize("endpoint", ["inproc://x", "ws://host:1", "tcp://", "nonsense", "tcp://host"])
async def test_what_cannot_be_probed(endpoint: str) -> None:
    with pytest.raises(UsageError):
        await probe(endpoint, PATIENCE)


@pytest.mark.slow
def test_the_command(endpoint: str, partner: OpenSocket) -> None:
    ended = run("probe", endpoint)
    assert ended.errors == (
        f"triomq probe: cannot connect to {endpoint}: No such file or directory; nobody has bound this path\n"
    )
    assert (ended.code, ended.output) == (1, b"")
    partner("REP", bind=endpoint)
    ended = run("probe", endpoint, "--json", "-t", "60")
    assert json.loads(ended.output)["socket_type"] == "REP"
    assert (ended.code, ended.errors) == (0, "")
