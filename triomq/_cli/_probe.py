"""``triomq probe``: who is at an endpoint, or exactly why that cannot be known.

Theory of operation

Both sides of the mechanism NULL say READY at once. So the probe waits for the peer's, learns the peer's type from it,
and only then says READY itself, as a type that the peer talks to: any peer can be met. Where such a type would take
something from the peer's real partners, the probe leaves without a word: a PUSH would hand it messages, and a PAIR has
one place only.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import attrs
import trio

from .. import ProtocolError
from ..zmtp import COMPATIBLE, Connection
from ._arguments import endpoint as as_endpoint
from ._arguments import finite_seconds
from ._exits import DONE, FAILED, Failure, Teller, describe
from ._peer_greeting import Greeting, read_greeting, read_ready
from ._probe_group import GROUP_PATIENCE, GROUP_SCHEMES, describe_group, probe_group
from ._probe_secured import probe_secured
from ._probed_peer import Finding, ProbedPeer, connect_to, measure_round_trip, too_slow
from ._quoting import quote
from ._security import add_security, read_mechanism
from ._signals import Interruption

_GREETING, _AS_FAR_AS_VERSION = 64, 12
_PATIENCE = 3.0  # seconds
# What the probe is to each type, if that takes nothing from others.
_PARTNERS = {"REP": "REQ", "ROUTER": "DEALER", "PUB": "SUB", "XPUB": "SUB", "SUB": "PUB", "XSUB": "PUB", "PULL": "PUSH",
             "SERVER": "CLIENT", "DISH": "RADIO", "GATHER": "SCATTER"}  # fmt: skip

_CREDENTIALS = {
    "CURVE": "give its public certificate by --server-key FILE",
    "PLAIN": "give a name and a password by --login FILE",
}


async def probe(endpoint: str, patience: float) -> Finding:
    """Meet the peer at an endpoint.

    Raises:
      UsageError: it is no endpoint that can be probed.
      Failure: there is no peer of ZMTP, and why.
    """
    stream, finding = await connect_to(endpoint, patience)
    peer = ProbedPeer(stream)
    try:
        with trio.fail_after(patience):
            await _meet(peer, finding, patience)
    except trio.TooSlowError:
        raise too_slow(peer, finding, patience) from None
    except (ValueError, ProtocolError) as exc:
        raise Failure(f"{endpoint}: {describe(exc)}") from exc
    finally:
        await trio.aclose_forcefully(stream)
    return finding


async def _meet(peer: ProbedPeer, finding: Finding, patience: float) -> None:
    greeting = await _greet(peer, patience)
    finding.version, finding.mechanism = greeting.version, greeting.mechanism
    if greeting.mechanism != "NULL":
        finding.note = _explain_mechanism(greeting)
        return
    ready = None
    with trio.move_on_after(patience / 3):
        while (ready := read_ready(peer.said)) is None:
            await peer.more()
    if ready is None:
        finding.note = "it waits for this side to say first which type of socket it is, so its own is not known"
        return
    if isinstance(ready, str):
        finding.note = f"it refused the handshake: {quote(ready.encode()).decode()}"
        return
    kind = quote(ready.get("Socket-Type", b"")).decode()
    finding.socket_type = kind or None
    finding.talks_to = sorted(COMPATIBLE.get(kind, ()))
    finding.identity = quote(ready.get("Identity", b"")).decode()
    finding.properties = {
        quote(name.encode()).decode(): quote(value).decode()
        for name, value in ready.items()
        if name.lower() not in ("socket-type", "identity")
    }
    await _complete(peer, finding)


async def _greet(peer: ProbedPeer, patience: float) -> Greeting:
    """Exchange greetings.

    libzmq hangs up at another mechanism than its own before it has named its own. So it gets our version, answers with
    its whole greeting, and only then learns our mechanism. A peer that waits for the whole of ours gets that after a
    while.
    """
    ours = Connection("DEALER", as_server=False).data_to_send()
    await peer.send(ours[:_AS_FAR_AS_VERSION])
    greeting = None
    with trio.move_on_after(patience / 4):
        while (greeting := read_greeting(peer.said)) is None:
            await peer.more()
    if greeting is None or greeting.mechanism == "NULL":
        await peer.send(ours[_AS_FAR_AS_VERSION:])
    while greeting is None:
        await peer.more()
        greeting = read_greeting(peer.said)
    return greeting


def _explain_mechanism(greeting: Greeting) -> str:
    role = ", as its server" if greeting.as_server else ""
    what_to_do = _CREDENTIALS.get(greeting.mechanism, "probe does not speak that")
    return f"it wants the mechanism {greeting.mechanism}{role}: {what_to_do}"


async def _complete(peer: ProbedPeer, finding: Finding) -> None:
    """Complete the handshake, and measure a round trip."""
    kind = finding.socket_type
    finding.met = kind in COMPATIBLE
    if kind not in _PARTNERS:
        finding.note = (
            f"a {kind} may give a new peer what is for others"
            if finding.met
            else f"'{kind}' is no type of socket that probe knows"
        )
        return
    connection = Connection(_PARTNERS[kind], as_server=False)
    connection.receive_data(peer.said)
    await peer.send(connection.data_to_send()[_GREETING:])
    if connection.peer is None or connection.peer.version < (3, 1):
        finding.note = "there is none in ZMTP 3.0"
        return
    finding.round_trip = await measure_round_trip(peer, connection)


# --- the command -------------------------------------------------------------------------------


def add_probe(commands: Any, run: Any) -> None:
    """Add the command ``probe``."""
    parser = commands.add_parser(
        "probe",
        help="find out who is at an endpoint",
        usage="triomq probe ENDPOINT [options]",
        description="Connect to an endpoint and say which socket is there: its type, the version of ZMTP, the security "
        "mechanism, the round trip; or why not. In a multicast group: who publishes there. No message is sent, and "
        "none is taken from anybody.",
        epilog="examples:\n  triomq probe tcp://127.0.0.1:5555\n  triomq probe ipc:///run/feed --json\n"
        "  triomq probe 'epgm://eth0;239.192.1.1:5555'\n\n"
        "Exit codes: 0 there is a socket that can be talked to, 1 there is none, 2 it took too long.",
    )
    parser.add_argument(
        "endpoint",
        type=as_endpoint,
        metavar="ENDPOINT",
        help="tcp://HOST:PORT, ipc://PATH, :PORT, or epgm://INTERFACE;GROUP:PORT",
    )
    parser.add_argument("-t", "--timeout", type=finite_seconds, metavar="SECONDS",
                        help=f"for the connection, and for the handshake (default: {_PATIENCE:g}); "
                        f"in a multicast group until a publisher is heard (default: {GROUP_PATIENCE:g})")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="write what was found as an object of JSON")
    add_security(parser, serves=False)
    parser.set_defaults(run=run, verbose=0)


async def run_probe(given: argparse.Namespace, interruption: Interruption, teller: Teller) -> int:
    """Probe, and print what was found. Returns: the exit code."""
    if given.endpoint.partition("://")[0] in GROUP_SCHEMES:
        heard = await probe_group(given.endpoint, given.timeout or GROUP_PATIENCE)
        print(json.dumps(attrs.asdict(heard)) if given.json else "\n".join(describe_group(heard)))
        sys.stdout.flush()
        return DONE
    security, patience = read_mechanism(given), given.timeout or _PATIENCE
    if security is None:
        finding = await probe(given.endpoint, patience)
    else:
        finding = await probe_secured(given.endpoint, patience, security)
    if given.json:
        print(json.dumps(attrs.asdict(finding)))
    else:
        print("\n".join(describe_finding(finding)))
    sys.stdout.flush()
    if not finding.met:
        teller.tell(finding.note, at=-1)
    return DONE if finding.met else FAILED


def describe_finding(finding: Finding) -> list[str]:
    """What was found, line by line."""
    lines = [f"{finding.endpoint}: {finding.socket_type or 'a socket of a type that it does not say'}"]
    assert finding.version is not None
    mechanism = (
        f"{finding.mechanism}{', which neither authenticates nor encrypts' if finding.mechanism == 'NULL' else ''}"
    )
    lines.append(f"  speaks     ZMTP {finding.version[0]}.{finding.version[1]}, mechanism {mechanism}")
    if finding.talks_to:
        lines.append(f"  talks to   {', '.join(finding.talks_to)}")
    if finding.identity:
        lines.append(f"  identity   {finding.identity}")
    lines += [f"  {name:<10} {value}" for name, value in finding.properties.items()]
    lines.append(f"  connected  in {finding.connected * 1000:.2f} ms")
    if finding.round_trip is not None:
        lines.append(f"  PING       answered in {finding.round_trip * 1000:.2f} ms")
    elif finding.met:
        lines.append(f"  PING       left out: {finding.note}")
    return lines
