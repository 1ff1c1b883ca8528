"""``triomq probe`` in a multicast group: who publishes there.

A publisher tells of itself with each datagram, and by a source path message (SPM) every half minute at the least. So
the probe listens. The first publisher that is heard is asked for an SPM: its answer shows that what subscribers ask for
arrives there, too. (A busy publisher tells of itself unasked, after 0.1 s already.) Nothing else is asked for, and no
message is taken from anybody.
"""

from __future__ import annotations

import socket

import attrs
import trio

from .. import EndpointError, Options, RemoteProtocolError
from .._transports import GroupAddress, GroupNetwork, GroupPort, SystemGroups, parse_group
from ..pgm import Data, Packet, Spm, SpmRequest, Tsi, decode, encode
from ._exits import TIMED_OUT, Failure, UsageError, describe

GROUP_SCHEMES = ("epgm", "pgm")
GROUP_PATIENCE = 35.0
"""seconds; a publisher that has nothing to send tells of itself every 30"""
_ANSWER = 1.0  # seconds to wait for the SPM that was asked for


@attrs.define(kw_only=True)
class GroupFinding:
    """What is known of a group.

    Attributes:
      publisher: the name of the first one that was heard.
      address: of its host.
      heard: seconds until then.
      round_trip: seconds from the request for an SPM to the SPM; None if none came.
      keeps: datagrams that it can send again; None if it did not say.
      others: the names of publishers that were heard meanwhile.
    """

    endpoint: str
    publisher: str
    address: str
    heard: float
    round_trip: float | None = None
    keeps: int | None = None
    others: list[str] = attrs.Factory(list)


class _Ear:
    """Listens to a group."""

    def __init__(self, port: GroupPort, group: GroupAddress) -> None:
        self.noise: str = ""
        self._port = port
        self._group = group

    async def next(self) -> tuple[Packet, bytes]:
        """What a publisher says next, and from which address."""
        while True:
            await self._port.wait_readable()
            arrived = self._port.receive_nowait()
            if arrived is None:
                continue
            try:
                packet = decode(arrived[0])
            except RemoteProtocolError as exc:
                self.noise = f"; what {_text(arrived[1])} sends there is no PGM: {exc}"
                continue
            ends = isinstance(packet, Spm) and packet.fin
            if isinstance(packet, (Data, Spm)) and packet.port == self._group.port and not ends:
                return packet, arrived[1]

    def ask(self, tsi: Tsi, address: bytes) -> None:
        """Ask a publisher for an SPM."""
        self._port.send_nowait(encode(SpmRequest(tsi, self._group.port)), address)


async def probe_group(endpoint: str, patience: float, network: GroupNetwork | None = None) -> GroupFinding:
    """Listen to a group until a publisher is heard.

    Raises:
      UsageError: it is no endpoint.
      Failure: the group cannot be joined, or nobody is heard, and why.
    """
    scheme, _, address = endpoint.partition("://")
    try:
        group = parse_group(scheme, address)
        port = (network or SystemGroups(raw=scheme == "pgm")).join(group, Options(), sends=False)
    except EndpointError as exc:
        raise UsageError(str(exc)) from exc
    except OSError as exc:
        raise Failure(f"cannot join {endpoint}: {exc.strerror or describe(exc)}") from exc
    ear = _Ear(port, group)
    try:
        with trio.fail_after(patience):
            return await _listen(ear, endpoint)
    except trio.TooSlowError:
        text = f"{endpoint}: no publisher was heard within {patience:g} s{ear.noise}"
        if patience < GROUP_PATIENCE:
            text += "; one that has nothing to send tells of itself every 30 s: --timeout 35"
        raise Failure(text, TIMED_OUT) from None
    except OSError as exc:
        raise Failure(f"{endpoint}: {describe(exc)}") from exc
    finally:
        port.close()


async def _listen(ear: _Ear, endpoint: str) -> GroupFinding:
    began = trio.current_time()
    packet, address = await ear.next()
    tsi = packet.tsi
    asked = trio.current_time()
    finding = GroupFinding(endpoint=endpoint, publisher=_name(tsi), address=_text(address), heard=asked - began)
    ear.ask(tsi, address)
    with trio.move_on_after(_ANSWER):
        while finding.round_trip is None:
            packet, _ = await ear.next()
            if packet.tsi != tsi:
                finding.others = sorted({*finding.others, _name(packet.tsi)})
            elif isinstance(packet, Spm):
                finding.round_trip = trio.current_time() - asked
                finding.keeps = (packet.lead - packet.trail + 1) & 0xFFFFFFFF
    return finding


def _name(tsi: Tsi) -> str:
    return f"{tsi.gsi.hex()}.{tsi.port}"


def _text(address: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)


def describe_group(finding: GroupFinding) -> list[str]:
    """What was found, line by line."""
    below = "UDP" if finding.endpoint.startswith("epgm") else "IP"
    lines = [
        f"{finding.endpoint}: PUB or XPUB",
        f"  speaks     PGM over {below}, which neither authenticates nor encrypts",
        "  talks to   SUB, XSUB",
        f"  publisher  {finding.publisher} at {finding.address}",
        f"  heard      after {finding.heard:.2f} s",
    ]
    if finding.round_trip is None:
        lines.append(
            f"  asked      and no SPM came within {_ANSWER:g} s: what subscribers ask for does not arrive there"
        )
    else:
        lines.append(f"  asked      and an SPM came after {finding.round_trip * 1000:.2f} ms")
        lines.append(f"  keeps      {finding.keeps} datagrams for repairs")
    if finding.others:
        lines.append(f"  others     {', '.join(finding.others)}")
    return lines
