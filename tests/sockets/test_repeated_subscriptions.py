"""A topic subscribed to more than once, by one peer."""

from __future__ import annotations

import pytest

import triomq
from triomq.testing import VirtualNetwork

ENDPOINTS = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://it"])


@ENDPOINTS
async def test_one_cancellation_undoes_all_subscriptions_of_a_peer(
    endpoint: str, virtual_network: VirtualNetwork
) -> None:
    """libzmq's SUB sends each of its subscriptions and, when the last is taken back, one cancellation."""
    async with virtual_network.open_context() as ctx:
        xpub = ctx.socket(triomq.XPUB)
        xsub = ctx.socket(triomq.XSUB)
        xsub.connect(await xpub.bind(endpoint))
        await xsub.wait_peers()
        for message in (b"\1a", b"\1a", b"\0a", b"\0a", b"\1end"):
            await xsub.send(message)
        assert [bytes(await xpub.receive()) for _ in range(3)] == [b"\1a", b"\0a", b"\1end"]


@ENDPOINTS
async def test_a_verbose_xpub_behind_a_proxy_is_told_each_time(endpoint: str, virtual_network: VirtualNetwork) -> None:
    """An XSUB passes on what it is sent; who wants it once has an XPUB that is not verbose."""
    async with virtual_network.open_context() as ctx:
        xpub = ctx.socket(triomq.XPUB, xpub_verbose=True)
        xsub = ctx.socket(triomq.XSUB)
        xsub.connect(await xpub.bind(endpoint))
        await xsub.wait_peers()
        for _ in range(2):
            await xsub.send(b"\1a")
        assert [bytes(await xpub.receive()) for _ in range(2)] == [b"\1a", b"\1a"]
