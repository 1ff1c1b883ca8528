"""Titanic in virtual time: what it has taken, it delivers, whoever crashes; and its files are what a crash leaves."""

from __future__ import annotations

import itertools
import os
import random
from functools import partial
from pathlib import Path

import mdbroker
import mdp
import pytest
import ticlient
import titanic
import trio

import triomq

from .trouble import trouble

BROKER = "tcp://broker:5555"


pytestmark = pytest.mark.usefixtures("seeded_uuids")


@pytest.fixture(autouse=True)
def no_threads(monkeypatch) -> None:
    """A mock clock does not wait for threads. Which file is older does not depend on the real one."""

    async def at_once(function, *arguments):
        await trio.lowlevel.checkpoint()
        return function(*arguments)

    save = titanic.Store.save
    ages = itertools.count(1)

    def save_in_virtual_time(self: titanic.Store, name: str, frames: mdp.Body) -> None:
        save(self, name, frames)
        age = next(ages)
        os.utime(self._directory / name, (age, age))

    monkeypatch.setattr(titanic, "in_thread", at_once)
    monkeypatch.setattr(titanic.Store, "save", save_in_virtual_time)


@pytest.fixture
def done() -> list[bytes]:
    """What the workers have done."""
    return []


@pytest.fixture
def start(virtual_network, nursery, tmp_path, done):
    async def work(ctx) -> None:
        async def handle(body: mdp.Body) -> mdp.Body:
            await trio.sleep(0.1)
            done.append(body[0])
            return [b"done", *body]

        await mdp.work(ctx, BROKER, b"work", handle)

    def start(*hosts: str) -> None:
        for host in hosts:
            program = {
                "broker": partial(mdbroker.broker, endpoint="tcp://*:5555"),
                "titanic": partial(titanic.serve, broker=BROKER, directory=tmp_path / "requests", patience=5),
            }.get(host, work)
            nursery.start_soon(virtual_network.run_on, host, program)

    return start


@pytest.fixture
def client(virtual_network, triomq_context) -> triomq.REQ:
    return mdp.connect(triomq_context, BROKER)


def files(tmp_path: Path) -> list[str]:
    return sorted(path.suffix for path in (tmp_path / "requests").iterdir())


async def test_a_request_waits_on_disk_for_its_service(virtual_network, client, start, tmp_path, done) -> None:
    start("broker", "titanic")
    number = await ticlient.leave(client, b"work", [b"a job", b""], tries=10)
    assert await mdp.ask(client, b"titanic.reply", [number]) == [b"300"]
    assert files(tmp_path) == [".req"]
    virtual_network.crash("titanic")
    virtual_network.crash("broker")
    await trio.sleep(300)
    virtual_network.restart("broker")
    virtual_network.restart("titanic")
    start("worker")
    assert await ticlient.fetch(client, number, tries=10) == [b"done", b"a job", b""]
    assert done == [b"a job"]
    assert files(tmp_path) == []


async def test_a_reply_stays_until_it_is_fetched_also_over_a_crash(
    virtual_network, client, start, tmp_path, done
) -> None:
    start("broker", "titanic", "worker")
    number = await ticlient.leave(client, b"work", [b"a job"], tries=10)
    await trio.sleep(10)
    assert files(tmp_path) == [".rep", ".req"]
    virtual_network.crash("titanic", how="process")
    virtual_network.restart("titanic")
    for _ in range(2):
        reply = await mdp.ask(client, b"titanic.reply", [number], tries=10)
        assert reply == [b"200", b"done", b"a job"]
    assert done == [b"a job"]  # it was not made again
    await ticlient.fetch(client, number)
    with pytest.raises(LookupError, match="400"):
        await ticlient.fetch(client, number)


@pytest.mark.virtual_seeds(10)
async def test_what_titanic_has_taken_is_done(virtual_network, triomq_context, triomq_seed, start, done) -> None:
    """Everybody crashes, stands still and is cut off. The clients are only patient."""
    hosts = ["broker", "titanic", "one", "two"]
    start(*hosts)

    async def order(job: bytes) -> None:
        async with mdp.connect(triomq_context, BROKER) as client:
            number = await ticlient.leave(client, b"work", [job], tries=100)
            await trio.sleep(random.Random(job).uniform(0, 30))
            try:
                assert await ticlient.fetch(client, number, tries=100) == [b"done", job]
            except LookupError:  # it was fetched and closed, and the reply to that was lost
                assert job in done

    jobs = [b"job %d" % number for number in range(10)]
    async with trio.open_nursery() as bad:
        bad.start_soon(trouble, virtual_network, triomq_seed, hosts, 5)
        async with trio.open_nursery() as clients:
            for job in jobs:
                clients.start_soon(order, job)
        bad.cancel_scope.cancel()
    assert set(done) == set(jobs)


async def test_a_request_that_kills_its_worker_does_not_hold_up_the_others(
    virtual_network, triomq_context, nursery, client, start
) -> None:
    start("broker", "titanic")

    async def fragile(ctx) -> None:
        async def handle(body: mdp.Body) -> mdp.Body:
            if body == [b"poison"]:
                await trio.sleep_forever()
            return body

        await mdp.work(ctx, BROKER, b"fragile", handle)

    for host in ("one", "two", "three"):
        nursery.start_soon(virtual_network.run_on, host, fragile)
    await ticlient.leave(client, b"fragile", [b"poison"], tries=10)
    numbers = [await ticlient.leave(client, b"fragile", [b"food"]) for _ in range(3)]
    for number in numbers:
        with trio.fail_after(30):
            assert await ticlient.fetch(client, number) == [b"food"]


@pytest.mark.parametrize(
    "number", [b"", b"0" * 32, b"../../secret", b"\xff" * 32, b"0" * 31, b"0" * 32 + b"\n", b"unknown"]
)
async def test_nobody_reads_or_removes_other_files(virtual_network, client, start, tmp_path, number) -> None:
    (tmp_path / "secret.rep").write_text("00\n")
    start("broker", "titanic")
    assert await mdp.ask(client, b"titanic.reply", [number], tries=10) == [b"400"]
    assert await mdp.ask(client, b"titanic.close", [number]) == [b"200"]
    assert (tmp_path / "secret.rep").exists()


async def test_who_asks_for_nothing_is_told_so(virtual_network, client, start) -> None:
    start("broker", "titanic")
    assert await mdp.ask(client, b"titanic.request", [], tries=10) == [b"400"]
    assert await mdp.ask(client, b"titanic.reply", []) == [b"400"]
    assert await mdp.ask(client, b"titanic.close", []) == [b"200"]


async def test_a_request_that_is_closed_while_it_is_made_leaves_nothing(client, start, tmp_path, done) -> None:
    start("broker", "titanic", "worker")
    await mdp.ask(client, b"mmi.service", [b"work"], tries=10)
    number = await ticlient.leave(client, b"work", [b"a job"], tries=10)
    assert await mdp.ask(client, b"titanic.close", [number]) == [b"200"]
    await trio.sleep(10)
    assert done == [b"a job"]  # it was on its way
    assert files(tmp_path) == []


async def test_a_full_disk_is_said(virtual_network, client, start, monkeypatch, capsys) -> None:
    start("broker", "titanic")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(titanic.Store, "save", full)
    with pytest.raises(RuntimeError, match="cannot keep the request: 500"):
        await ticlient.leave(client, b"work", [b"a job"], tries=10)
    assert "No space left on device" in capsys.readouterr().out


# -- the files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [[], [b""], [b"", b""], [b"\n\0", b"x" * 1000]])
def test_frames_come_back_as_they_were(tmp_path, frames) -> None:
    store = titanic.Store(tmp_path)
    store.save("a.req", frames)
    assert titanic.Store(tmp_path).load("a.req") == frames
    assert store.load("b.req") is None


def test_a_file_has_its_name_only_when_it_is_on_disk(tmp_path, monkeypatch) -> None:
    """The content, then the name, then the directory."""
    steps = []
    replace, fsync = Path.replace, os.fsync

    def syncing(number: int) -> None:
        steps.append(f"sync {Path(os.readlink(f'/proc/self/fd/{number}')).name}" if os.path.isdir("/proc") else "sync")
        fsync(number)

    def renaming(self: Path, target: Path) -> Path:
        steps.append(f"rename to {target.name}")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(Path, "replace", renaming)
    titanic.Store(tmp_path / "disk").save("a.req", [b"x"])
    assert [step.partition(" ")[0] for step in steps] == ["sync", "rename", "sync"]
    if os.path.isdir("/proc"):
        assert steps == ["sync a.req.new", "rename to a.req", "sync disk"]


def test_what_a_crash_leaves_half_written_is_no_request(tmp_path) -> None:
    store = titanic.Store(tmp_path)
    store.save("a.req", [b"work"])
    store.save("b.req", [b"work"])
    store.save("b.rep", [b"done"])
    (tmp_path / "c.req.new").write_text("776f")
    (tmp_path / "d.rep").write_text("776f\n")  # it was being removed
    assert titanic.Store(tmp_path).unanswered() == ["a"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.req", "b.rep", "b.req"]


def test_the_oldest_request_comes_first(tmp_path) -> None:
    store = titanic.Store(tmp_path)
    for age, name in enumerate(["c", "a", "b"]):
        store.save(f"{name}.req", [b"work"])
        os.utime(tmp_path / f"{name}.req", (1000 + age, 1000 + age))
    assert store.unanswered() == ["c", "a", "b"]
