"""How many messages are encrypted at once: no longer than other tasks can wait."""

from __future__ import annotations

from collections import deque

import pytest
import trio
from trio.testing import MockClock

import triomq
from triomq import Message, zmtp
from triomq._connections._writer import few_enough
from triomq.testing import VirtualNetwork
from triomq.zmtp._curve._boxes import CurveMechanism

from .passes import LongestPass

KIB = b"x" * 1024
PLENTY = 100_000_000  # bytes


@pytest.mark.parametrize(
    ("queue", "most", "count"),
    [
        # large ones by themselves
        ([(1024 * KIB,)] * 3, 64, 1),
        ([(b"",), (1024 * KIB,), (b"",)], 64, 2),
        # about 256 KiB of others, the frames of one counted together
        ([(62 * KIB,)] * 64, 64, 4),
        ([Message([30 * KIB, 30 * KIB])] * 64, 64, 4),
        # small ones by their number, and that of their frames
        ([(b"",)] * 2000, 2000, 128),
        ([(b"",)] * 2000, 64, 64),
        ([Message([b"", b"", b"", b""])] * 2000, 2000, 32),
        # no more than are asked for; all, if there are fewer
        ([(KIB,)] * 3, 2, 2),
        ([(KIB,)] * 3, 64, 64),
        ([], 64, 64),
        # what is no message has no size to speak of
        ([zmtp.Ping(1.0, b""), zmtp.Subscribe(b"topic"), (1024 * KIB,), (b"",)], 64, 3),
    ],
)
def test_few_enough_are_encrypted_at_once(queue, most, count):
    assert few_enough(deque(queue), most) == count


@pytest.fixture
def slow_encryption(monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock) -> None:
    """As quick as on the machine that this was written on."""
    encode_frame = CurveMechanism.encode_frame

    def take_time(self: CurveMechanism, flags: int, body: bytes) -> bytes:
        autojump_clock.jump(2e-6 + len(body) * 1e-9)
        return encode_frame(self, flags, body)

    monkeypatch.setattr(CurveMechanism, "encode_frame", take_time)


@pytest.mark.parametrize("hwm", [10, 0], ids=["full", "endless"])
@pytest.mark.parametrize("many", [False, True], ids=["one by one", "a list"])
@pytest.mark.parametrize(
    ("size", "number"),
    [(10, 2_000), (10_000, 200), (100_000, 40), (1_000_000, 15), (None, 150)],
    ids=["10 B", "10 kB", "100 kB", "1 MB", "mixed"],
)
@pytest.mark.usefixtures("slow_encryption")
async def test_who_encrypts_at_full_rate_lets_other_tasks_run(
    size: int | None,
    number: int,
    many: bool,
    hwm: int,
    virtual_network: VirtualNetwork,
    autojump_clock: MockClock,
) -> None:
    """Within a turn and a write, or two messages of 1 MB: also where each call makes room in a full outbox."""
    keys = triomq.KeyPair.generate(lambda size: bytes(range(size)))
    sizes = [size] if size is not None else [10] * 12 + [100_000]
    messages = [bytes(sizes[index % len(sizes)]) for index in range(number)]
    async with virtual_network.open_context() as ctx, trio.open_nursery() as nursery:
        pull = ctx.socket(triomq.PULL, mechanism=triomq.Curve.server(keys), hwm=0, receive_buffer=PLENTY)
        push = ctx.socket(triomq.PUSH, mechanism=triomq.Curve(keys.public_key), send_hwm=hwm, send_buffer=PLENTY)
        push.connect(await pull.bind("tcp://localhost:5555"))
        await push.wait_peers()
        trio.lowlevel.add_instrument(longest := LongestPass())

        async def send() -> None:
            if many:
                await push.send_many(messages)
            else:
                for message in messages:
                    await push.send(message)

        nursery.start_soon(send)
        for _ in range(number):
            await pull.receive()
        trio.lowlevel.remove_instrument(longest)
    assert 0.1e-3 < longest.seconds < (1.6e-3 if size != 1_000_000 else 2.1e-3)
