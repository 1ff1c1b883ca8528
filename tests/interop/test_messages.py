"""Messages of every size, and a great many of them, between triomq and libzmq."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trio

import triomq

from .libzmq import Peer
from .pairs import FIRST_ID, SECOND_ID, Pairing, bring_together, couple, ours_of, theirs_of

pytestmark = pytest.mark.interop

SIZES = {
    "around a short frame": [0, 1, 255, 256, 0],
    "every short frame": list(range(240, 270)),
    "empty frames": [0, 0, 0],
    "around 64 KiB": [65_535, 65_536],
    "16 MiB": [16 * 2**20],
    "a thousand frames": [number % 300 for number in range(1000)],
    "a thousand empty frames": [0] * 1000,
}
MANY = 20_000  # twenty times what a queue holds
STREAMS = [
    Pairing("PUSH", "PULL", replied=None),
    Pairing("DEALER", "ROUTER", heard=(FIRST_ID,), replied=None),
    Pairing("ROUTER", "DEALER", said=(SECOND_ID,), replied=None),
]


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


def numbers(envelope: tuple[bytes, ...]) -> Iterator[tuple[bytes, ...]]:
    """What `send_numbers` sends."""
    return ((*envelope, b"%d" % number) for number in range(MANY))


def text(envelope: tuple[bytes, ...]) -> list[str]:
    return [frame.decode() for frame in envelope]


@pytest.mark.parametrize("one_by_one", [False, True], ids=["send-many", "send"])
@pytest.mark.parametrize("stream", STREAMS, ids=str)
async def test_a_great_many_from_us(
    ctx: triomq.Context, peer: Peer, endpoint: str, stream: Pairing, one_by_one: bool
) -> None:
    """libzmq receives every message, in order, and nothing else: when its queue is full we wait."""
    options = {"router_mandatory": True} if stream.first == "ROUTER" else {}
    pair = await couple(ctx, peer, stream, endpoint, ours_first=True, we_bind=False, **options)

    async def send() -> None:
        if one_by_one:
            for message in numbers(stream.said):
                await pair.ours.send(message)
        else:
            await pair.ours.send_many(numbers(stream.said))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        envelope = text(stream.heard)
        assert await pair.theirs.call("receive_numbers", start=0, stop=MANY, envelope=envelope)
    await pair.ours.send([*stream.said, b"nothing came between"])
    assert await pair.theirs.receive() == (*stream.heard, b"nothing came between")


@pytest.mark.parametrize("one_by_one", [False, True], ids=["receive-many", "receive"])
@pytest.mark.parametrize("stream", STREAMS, ids=str)
async def test_a_great_many_from_libzmq(
    ctx: triomq.Context, peer: Peer, endpoint: str, stream: Pairing, one_by_one: bool
) -> None:
    """We receive every message, in order: when our queue is full libzmq waits."""
    pair = await couple(ctx, peer, stream, endpoint, ours_first=False, we_bind=True)
    expected = list(numbers(stream.heard))
    got: list[tuple[bytes, ...]] = []

    async def send() -> None:
        await pair.theirs.call("send_numbers", start=0, stop=MANY, envelope=text(stream.said))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        while len(got) < MANY:
            got += [await pair.ours.receive()] if one_by_one else await pair.ours.receive_many(MANY)
    assert got == expected
    with pytest.raises(trio.WouldBlock):
        pair.ours.receive_nowait()
