"""Memory for large messages is kept, whatever becomes of them: read, encrypted, or written."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

import triomq
from triomq._connections._read_size import READ_SIZE, ReadSize

_FAULTS = """
import resource, sys
from triomq._connections._large_blocks import keep_large_blocks

if sys.argv[1] == "kept":
    keep_large_blocks()

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

for turn in range(60):
    if turn == 10:
        before = faults()
    blocks = [b"x" * 1_000_000 for _ in range(4)]
    del blocks
print((faults() - before) // 50)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have other rules")
def test_memory_of_large_messages_is_kept() -> None:
    def faults(how: str) -> int:
        """Page faults for 4 MB."""
        return int(subprocess.run([sys.executable, "-c", _FAULTS, how], check=True, capture_output=True).stdout)

    assert faults("usual") > 500, "glibc keeps the memory by itself"
    assert faults("kept") < 5


def test_a_large_read_sees_to_it(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr("triomq._connections._read_size.keep_large_blocks", lambda: asked.append("kept"))
    read_size = ReadSize()
    read_size.choose(1000)
    read_size.note(1000)
    assert not asked
    read_size.note(READ_SIZE)
    assert len(asked) == 1
    read_size.choose(1_000_000)
    assert len(asked) == 2


@pytest.mark.parametrize("encrypted", [True, False], ids=["encrypted", "plain"])
@pytest.mark.parametrize(("size", "times"), [(1000, 0), (1_000_000, 1)])
async def test_a_large_write_sees_to_it(size: int, times: int, encrypted: bool, virtual_network, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr("triomq._connections._writer.keep_large_blocks", lambda: asked.append("kept"))
    key = triomq.KeyPair.generate()
    async with virtual_network.open_context("a") as a, virtual_network.open_context("b") as b:
        pull = a.socket(triomq.PULL, mechanism=triomq.Curve.server(key) if encrypted else None)
        push = b.socket(triomq.PUSH, mechanism=triomq.Curve(key.public_key) if encrypted else None)
        await pull.bind("tcp://a:5555")
        push.connect("tcp://a:5555")
        await push.send(bytes(size))
        assert bytes(await pull.receive()) == bytes(size)
    assert len(asked) == times
