"""One seed, one run: of a whole set of programs, with crashes and files."""

from __future__ import annotations

import random
import uuid
from pathlib import Path

import mdbroker
import mdp
import ticlient
import titanic
import trio

import triomq.testing

from .trouble import trouble

BROKER = "tcp://broker:5555"


def test_a_run_can_be_repeated(tmp_path, monkeypatch) -> None:
    async def at_once(function, *arguments):
        await trio.lowlevel.checkpoint()
        return function(*arguments)

    monkeypatch.setattr(titanic, "in_thread", at_once)

    async def echo(body: mdp.Body) -> mdp.Body:
        return body

    async def story(net, disk: Path) -> str:
        dice = random.Random(7)
        monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=dice.getrandbits(128), version=4))
        async with trio.open_nursery() as nursery, net.open_context("client") as ctx:
            nursery.start_soon(net.run_on, "broker", mdbroker.broker, "tcp://*:5555")
            nursery.start_soon(net.run_on, "titanic", titanic.serve, BROKER, disk, 5)
            nursery.start_soon(net.run_on, "worker", mdp.work, BROKER, b"work", echo)
            nursery.start_soon(trouble, net, 7, ["titanic", "worker"], 5)
            client = mdp.connect(ctx, BROKER)
            for number in range(5):
                await ticlient.leave(client, b"work", [b"job %d" % number], tries=100)
            await trio.sleep(60)
            nursery.cancel_scope.cancel()
        assert net.recorder.of_kind("crash")
        return net.digest()

    first, second = (triomq.testing.run(story, tmp_path / name, seed=7) for name in ("first", "second"))
    assert first == second
