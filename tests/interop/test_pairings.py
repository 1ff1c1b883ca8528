"""Every valid pair of socket types, triomq at either end, either end binding, over tcp and ipc."""

from __future__ import annotations

import pytest

import triomq
from triomq.zmtp._compatibility import COMPATIBLE

from .libzmq import Peer
from .pairs import PAIRINGS, Pairing, couple

pytestmark = pytest.mark.interop

CORE = {"REQ", "REP", "DEALER", "ROUTER", "PUB", "SUB", "XPUB", "XSUB", "PUSH", "PULL", "PAIR"}


async def test_the_list_of_pairings_is_whole() -> None:
    """Every pair that RFC 37 allows among the eleven types stands in the list, once."""
    allowed = {frozenset((ours, theirs)) for ours in CORE for theirs in COMPATIBLE[ours]}
    assert sorted(map(sorted, allowed)) == sorted(sorted({pair.first, pair.second}) for pair in PAIRINGS)


@pytest.mark.parametrize("we_bind", [True, False], ids=["we-bind", "we-connect"])
@pytest.mark.parametrize("ours_first", [True, False], ids=["we-begin", "they-begin"])
@pytest.mark.parametrize("pairing", PAIRINGS, ids=str)
async def test_messages_pass(
    ctx: triomq.Context, peer: Peer, endpoint: str, pairing: Pairing, ours_first: bool, we_bind: bool
) -> None:
    """Messages of one and of several frames pass, in both directions where the pattern has two."""
    pair = await couple(ctx, peer, pairing, endpoint, ours_first=ours_first, we_bind=we_bind)
    await pair.exchange(b"one")
    await pair.exchange(b"several", b"", b"frames" * 100)
    await pair.exchange(b"")
    await pair.exchange(b"again")
