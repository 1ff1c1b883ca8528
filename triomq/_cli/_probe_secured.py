"""``triomq probe`` with keys or a password.

Theory of operation

With PLAIN and CURVE the client says its type first, and a server that does not talk to this type ends the connection.
So the probe comes as one type after another, each on a connection of its own, until one is met. It comes only as types
to which no peer gives what is for others: a REQ, a SUB, a PUB and a PUSH meet seven of the eleven types.
"""

from __future__ import annotations

import os
from typing import Final

import trio

from .. import DeniedError, MechanismMismatchError, ProtocolError, RefusedByPeerError
from .._security import Security
from ..zmtp import COMPATIBLE, Connection
from ._exits import Failure, describe
from ._probed_peer import Finding, ProbedPeer, connect_to, measure_round_trip, too_slow
from ._quoting import quote

_COMES_AS: Final = ("REQ", "SUB", "PUB", "PUSH")


async def probe_secured(endpoint: str, patience: float, security: Security) -> Finding:
    """Meet the peer at an endpoint as a client of a mechanism.

    Raises:
      UsageError: it is no endpoint that can be probed.
      Failure: the peer is not met, and why.
    """
    reasons: dict[str, str] = {}
    for kind in _COMES_AS:
        stream, finding = await connect_to(endpoint, patience)
        peer, connection = ProbedPeer(stream), _as_client(kind, security)
        try:
            with trio.fail_after(patience):
                await _meet(peer, connection, finding)
            return finding
        except trio.TooSlowError:
            raise too_slow(peer, finding, patience) from None
        except (DeniedError, MechanismMismatchError) as exc:
            await peer.send(connection.data_to_send())  # noqa: ASYNC120  # so that the peer can tell its user, too
            raise Failure(f"{endpoint}: {describe(exc)}") from exc
        except RefusedByPeerError as exc:
            if exc.status is not None:
                raise Failure(f"{endpoint}: {describe(exc)}") from exc
            reasons[kind] = describe(exc)
        except ProtocolError as exc:
            reasons[kind] = describe(exc)
        except ValueError as exc:
            if why := connection.explain_end():
                raise Failure(f"{endpoint}: it closed the connection in the middle of the handshake: {why}") from exc
            reasons[kind] = describe(exc)
        finally:
            await trio.aclose_forcefully(stream)
    tried = "".join(f"\n  as {kind}: {reason}" for kind, reason in reasons.items())
    raise Failure(f"{endpoint}: it talks {security.name}, but to no type that probe comes as:{tried}")


def _as_client(kind: str, security: Security) -> Connection:
    mechanism = security.new_mechanism(as_server=False, asks=False, random_bytes=os.urandom)
    connection = Connection(kind, as_server=False, mechanism=mechanism)
    connection.greet_in_pieces()
    return connection


async def _meet(peer: ProbedPeer, connection: Connection, finding: Finding) -> None:
    while not connection.established:
        await peer.send(connection.data_to_send())
        connection.receive_data(await peer.more(), 1)
    await peer.send(connection.data_to_send())
    info = connection.peer
    assert info is not None
    finding.version, finding.mechanism, finding.met = info.version, info.mechanism, True
    finding.socket_type = info.socket_type
    finding.talks_to = sorted(COMPATIBLE[info.socket_type])
    finding.identity = quote(info.routing_id).decode()
    finding.properties = {
        quote(name.encode()).decode(): quote(value).decode()
        for name, value in info.metadata.items()
        if name.lower() not in ("socket-type", "identity")
    }
    if info.version < (3, 1):
        finding.note = "there is none in ZMTP 3.0"
        return
    finding.round_trip = await measure_round_trip(peer, connection)
