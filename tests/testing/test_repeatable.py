"""The same seed gives the same run: twice in one process, and in two."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork, fixed_schedule, run

from . import busy_network

first_run = functools.cache(busy_network.busy_run)  # of a seed, in this process


@pytest.mark.parametrize("seed", [1, 2])
def test_twice_in_one_process(seed: int) -> None:
    one, other = first_run(seed), busy_network.busy_run(seed)
    for mine, theirs in zip(one.happenings, other.happenings, strict=True):
        assert mine == theirs
    assert one.fingerprints() == other.fingerprints()


def test_the_run_has_a_bit_of_everything() -> None:
    """Or being repeatable would mean little."""
    kinds = {happening.kind for happening in first_run(1).happenings}
    assert kinds >= {
        "refused", "lost", "sent again", "reset sent", "reset delivered", "closed", "cut", "crash", "restart",
        "partition", "heal", "pause", "resume", "retry planned", "disconnected", "dropped",
    }  # fmt: skip


def test_another_seed_is_another_run() -> None:
    one, other = first_run(1), first_run(2)
    assert not set(one.fingerprints()) & set(other.fingerprints())


def test_in_two_processes_with_other_hashes() -> None:
    program = Path(busy_network.__file__)
    expected = first_run(1).fingerprints()
    for hash_seed in "1", "2":
        done = subprocess.run(
            [sys.executable, str(program), "1"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(triomq.__file__).parents[1])},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == expected


def test_the_order_of_tasks_is_the_seeds_and_set_back_afterwards() -> None:
    def order() -> list[int]:
        done: list[int] = []

        async def note(number: int) -> None:
            for _ in range(5):
                await trio.lowlevel.checkpoint()
                done.append(number)

        async def main() -> None:
            async with trio.open_nursery() as nursery:
                for number in range(10):
                    nursery.start_soon(note, number)

        trio.run(main)
        return done

    import trio._core._run as scheduler

    before = scheduler._ALLOW_DETERMINISTIC_SCHEDULING, scheduler._r
    runs = []
    for seed in 1, 1, 2:
        with fixed_schedule(seed), fixed_schedule(99):
            runs.append(order())
    assert runs[0] == runs[1] != runs[2]
    assert (scheduler._ALLOW_DETERMINISTIC_SCHEDULING, scheduler._r) == before


@pytest.mark.parametrize("missing", ["_ALLOW_DETERMINISTIC_SCHEDULING", "_r"])
def test_a_trio_without_the_switch_is_told_of(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    import trio._core._run as scheduler

    async def nothing(net: VirtualNetwork) -> None:
        """Do nothing."""

    with monkeypatch.context() as patch:
        patch.delattr(scheduler, missing)
        with pytest.raises(RuntimeError, match=r"no switch .*repeatable=False") as caught:
            run(nothing)
        assert "use a trio that has it, such as" in str(caught.value)
    run(nothing)  # what was refused has left nothing behind


def test_without_the_switch_a_network_can_do_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from triomq.testing import _determinism

    class WithoutSwitch:
        """What `fixed_schedule` finds in a trio that has no switch."""

    monkeypatch.setattr(_determinism, "_scheduler", WithoutSwitch)

    async def main() -> str:
        async with VirtualNetwork(1, repeatable=False) as net:
            net.note("fine")
            return net.trace()

    assert "fine" in trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    with pytest.raises(RuntimeError, match="no switch"):
        with fixed_schedule(1):
            pass


async def test_a_clock_that_cannot_jump_is_refused() -> None:
    with pytest.raises(RuntimeError, match="MockClock"):
        async with VirtualNetwork():
            pass


async def test_a_network_is_opened_once_and_errors_leave_it_as_they_are(autojump_clock) -> None:
    net = VirtualNetwork()
    with pytest.raises(KeyError):
        async with net:
            raise KeyError
    with pytest.raises(RuntimeError, match="opened before"):
        async with net:
            pass


def test_an_hour_of_reconnecting_takes_no_time() -> None:
    async def hour(net: VirtualNetwork) -> int:
        async with net.open_context("a") as ctx:
            push = ctx.socket(triomq.PUSH, reconnect_interval_max=5.0)
            net.link("a", "b")
            push.connect("tcp://b:5555")
            await trio.sleep(3600)
        return len(net.recorder.of_kind("refused"))

    start = time.perf_counter()
    assert 1200 < run(hour) < 1700  # waits of 2.5 s in the mean
    assert time.perf_counter() - start < 36  # a hundredth of it, for machines that have much else to do


def test_the_package_does_not_load_it() -> None:
    program = "import sys, triomq; print(sorted(name for name in sys.modules if name.startswith('triomq.testing')))"
    root = str(Path(triomq.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
