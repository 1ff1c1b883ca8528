"""The works of the bench, with triomq alone and hardly any messages: each gives a figure, and loses nothing."""

from __future__ import annotations

import os
from functools import partial
from itertools import cycle, pairwise

import pytest
import trio

from bench import blocking, harness, peers, works
from bench.job import Job
from bench.kinds import Kind, Unit, Work

SETTINGS = harness.Settings(rounds=1, seconds=0.01)

# What is quickly done; the last two have a neutral side.
QUICK = ["push-5x10", "push-5xmixed", "push-mixed", "push-10x4", "push-many-10", "push-many-mixed",
         "req-10", "req-mixed", "inproc-10", "inproc-many-mixed", "subs-100", "threads-10",
         "threads-many-10", "threads-req-10", "router-mixed", "curve-mixed", "curve-handshakes"]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", [*QUICK, "proxy-10x3", "proxy-mixed", "fan-100"])
async def test_a_work_gives_a_figure(name: str) -> None:
    work = works.by_name(name)
    count = work.clamp(400)
    sample = await harness.measure("triomq", work, count, SETTINGS)
    assert 0 < sample.count <= count
    assert work.figure(sample) > 0
    assert set(sample.cpu) == set(work.kind.sides)
    assert all(used > 0 for used in sample.cpu.values())


@pytest.mark.slow
async def test_requests_on_a_schedule_tell_their_latencies() -> None:
    work = works.by_name("latency-50")
    sample = await harness.measure("triomq", work, 1000, SETTINGS)
    assert sample.count == 500
    assert 0 < sample.details["p50"] <= sample.details["p99"] <= sample.details["p99.9"] <= sample.details["worst"]
    assert work.figure(sample) == sample.details["p99"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wait-1ms", "wait-push-10", "wait-push-1m", "wait-push-many-1m"])
async def test_the_other_task_tells_how_late_it_was(name: str) -> None:
    work = works.by_name(name)
    sample = await harness.measure("triomq", work, work.min_count, SETTINGS)
    assert work.figure(sample) == sample.details["p99.9"] > 0


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")
async def test_idle_connections_weigh_something() -> None:
    work = Work(name="memory-500", kind=Kind.MEMORY, title="", unit=Unit.KIB, idle=500, min_count=500, max_count=500)
    assert work.is_fixed
    sample = await harness.measure("triomq", work, work.clamp(0), SETTINGS)
    assert 1 < work.figure(sample) < 1000


@pytest.mark.slow
async def test_a_worker_that_fails_says_why() -> None:
    with pytest.raises(harness.MeasurementError, match=r"^starting: .*no peer 'nobody'"):
        await harness.measure("nobody", works.by_name("push-10"), 100, SETTINGS)


@pytest.mark.slow
async def test_a_measurement_that_is_cancelled_leaves_no_process() -> None:
    work = works.by_name("push-10")
    with trio.move_on_after(0.3) as scope:
        await harness.measure("triomq", work, work.max_count, SETTINGS)
    assert scope.cancelled_caught  # and the guard of all tests looks for what is left


async def test_a_peer_is_given_up_after_two_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    async def fail(peer: str, work: Work, count: int, settings: harness.Settings) -> None:
        await trio.lowlevel.checkpoint()
        calls.append(peer)
        raise harness.MeasurementError("no")

    async def calibrated(peer: str, work: Work, settings: harness.Settings) -> int:
        await trio.lowlevel.checkpoint()
        return 100

    monkeypatch.setattr(harness, "measure", fail)
    monkeypatch.setattr(harness, "calibrate", calibrated)
    peer = peers.load("triomq")
    lines = await harness.run_works(
        [works.by_name("push-10")], {"triomq": peer}, harness.Settings(rounds=7), lambda text: None
    )
    assert calls == ["triomq"] * 2
    assert [line.median for line in lines] == [None]


async def test_works_of_one_group_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    async def measured(peer: str, work: Work, count: int, settings: harness.Settings) -> harness.Sample:
        await trio.lowlevel.checkpoint()
        calls.append(work.name)
        return harness.Sample(count=1, seconds=1.0)

    async def calibrated(peer: str, work: Work, settings: harness.Settings) -> int:
        await trio.lowlevel.checkpoint()
        return 100

    monkeypatch.setattr(harness, "measure", measured)
    monkeypatch.setattr(harness, "calibrate", calibrated)
    (group,) = works.groups(works.select(["subs-1", "subs-100k"]))
    run = partial(harness.run_works, group, {"triomq": peers.load("triomq")}, harness.Settings(rounds=2))
    await run(lambda text: None)
    assert calls == ["subs-1", "subs-100k", "subs-100k", "subs-1"]
    calls.clear()
    await run(lambda text: None, only={("subs-1", "triomq")})
    assert calls == ["subs-1", "subs-1"]


def test_every_work_is_offered_by_triomq_and_has_a_name_of_its_own() -> None:
    triomq = peers.load("triomq")
    assert all(triomq.offers(work) and work.wants("triomq") for work in works.ALL)
    assert len({work.name for work in works.ALL}) == len(works.ALL)


def test_a_work_of_mixed_sizes_has_no_two_equal_ones_beside_each_other() -> None:
    mixed = {work.name: work.sizes for work in works.ALL if work.sizes}
    assert sorted(mixed["push-mixed"]) == list(range(10, 301, 10))
    assert sorted(mixed["proxy-mixed"]) == list(range(10, 251, 10))
    for sizes in mixed.values():
        assert len(set(sizes)) == len(sizes)
        assert all(one != other for one, other in pairwise([*sizes, sizes[0]]))


def test_a_base_is_a_work_that_takes_turns_with_it() -> None:
    for work in works.ALL:
        assert work.base is None or works.by_name(work.base).group == work.group


def test_lists_of_mixed_sizes_go_on_where_the_list_before_ended() -> None:
    job = Job(work=works.by_name("push-many-mixed"), warm=0, count=100)
    lists = job.lists(100)
    sent = [len(message) for _ in range(31) for message in next(lists)]
    assert sent == [size for size, _ in zip(cycle(job.work.sizes), range(3100))]


def test_a_message_of_several_mixed_frames_has_all_sizes() -> None:
    job = Job(work=works.by_name("push-5xmixed"), warm=0, count=100)
    bodies = [body for body in job.bodies() if isinstance(body, list)]
    assert [len(body) for body in bodies] == [5] * len(job.work.sizes)
    assert {len(frame) for body in bodies for frame in body} == set(job.work.sizes)


async def test_what_no_goal_needs_is_measured_in_every_other_round(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    async def measured(peer: str, work: Work, count: int, settings: harness.Settings) -> harness.Sample:
        await trio.lowlevel.checkpoint()
        calls.append(work.name)
        return harness.Sample(count=1, seconds=1.0)

    monkeypatch.setattr(harness, "measure", measured)
    chosen = [works.by_name("memory-500"), works.by_name("memory-1000")]
    run = partial(harness.run_works, chosen, {"triomq": peers.load("triomq")}, harness.Settings(rounds=3))
    await run(lambda text: None, often={("memory-500", "triomq")})
    assert sorted(calls) == ["memory-1000"] * 2 + ["memory-500"] * 3


def test_a_work_of_mixed_sizes_sends_each_of_them() -> None:
    job = Job(work=works.by_name("push-mixed"), warm=10, count=60)
    sent: list[bytes] = []
    blocking.push(job, sent.append)
    assert [len(message) for message in sent[:-1]] == [size for size, _ in zip(cycle(job.work.sizes), range(69))]
    assert sent[-1] == job.last != sent[0]


def test_a_name_that_fits_no_work_is_an_error() -> None:
    assert [work.name for work in works.select(["req-10", "push-1*"])][:2] == ["req-10", "push-10"]
    with pytest.raises(ValueError, match="no work 'nothing'"):
        works.select(["nothing"])
