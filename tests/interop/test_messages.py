"""Messages of every size, and a great many of them, between triomq and libzmq."""

from __future__ import annotations

import pytest
import trio

import triomq

from .libzmq import Peer
from .pairs import bring_together, ours_of, theirs_of

pytestmark = pytest.mark.interop

SIZES = {
    "around a short frame": [0, 1, 255, 256, 0],
    "around 64 KiB": [65_535, 65_536],
    "16 MiB": [16 * 2**20],
    "a thousand frames": [number % 300 for number in range(1000)],
}
MANY = 100_000


def pattern(sizes: list[int]) -> list[bytes]:
    """Frames of these sizes, each filled with an octet that tells its place, as the other process makes them."""
    return [bytes((index % 251,)) * size for index, size in enumerate(sizes)]


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("we_bind", [True, False], ids=["we-bind", "we-connect"])
async def test_frames_of_every_size_pass(
    ctx: triomq.Context, peer: Peer, endpoint: str, sizes: list[int], we_bind: bool
) -> None:
    """What is sent is received octet for octet, both ways, together in a message and one by one."""
    ours, theirs = ours_of(ctx, "PAIR"), await theirs_of(peer, "PAIR")
    await bring_together(ours, theirs, endpoint, we_bind=we_bind)
    single = [[size] for size in dict.fromkeys(sizes)] if len(sizes) < 10 else []
    for message in [sizes, *single]:
        await ours.send(pattern(message))
        assert await theirs.call("receive_sizes", sizes=message)
        await theirs.call("send_sizes", sizes=message)
        assert list(await ours.receive()) == pattern(message)


@pytest.mark.parametrize(("kind", "theirs_kind"), [("PUSH", "PULL"), ("DEALER", "ROUTER")])
async def test_a_hundred_thousand_from_us(ctx: triomq.Context, peer: Peer, kind: str, theirs_kind: str) -> None:
    """libzmq receives every message, in order."""
    ours, theirs = ours_of(ctx, kind), await theirs_of(peer, theirs_kind)
    await bring_together(ours, theirs, "tcp://127.0.0.1:*", we_bind=False)
    envelope = ["first"] if theirs_kind == "ROUTER" else []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ours.send_many, (b"%d" % number for number in range(MANY)))
        assert await theirs.call("receive_numbers", start=0, stop=MANY, envelope=envelope)


@pytest.mark.parametrize(("kind", "theirs_kind"), [("PULL", "PUSH"), ("ROUTER", "DEALER")])
async def test_a_hundred_thousand_from_libzmq(ctx: triomq.Context, peer: Peer, kind: str, theirs_kind: str) -> None:
    """We receive every message, in order."""
    ours, theirs = ours_of(ctx, kind), await theirs_of(peer, theirs_kind)
    await bring_together(ours, theirs, "tcp://127.0.0.1:*", we_bind=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: theirs.call("send_numbers", start=0, stop=MANY, envelope=[]))
        for number in range(MANY):
            assert (await ours.receive())[-1] == b"%d" % number
