"""Hostile by number: many connections, none of which anybody needs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from .raw import GREETING, raw_at, ready
from .scene import Scene, attacked, until

EXHAUSTED = Path(__file__).with_name("exhausted.py")


class Crowd:
    """Connections that stay."""

    def __init__(self, scene: Scene, nursery: trio.Nursery) -> None:
        self._scene = scene
        self._nursery = nursery
        self.here = 0

    async def come(self, count: int, octets: bytes = b"") -> None:
        """So many more connections, each of which says that and no more."""
        for _ in range(count):
            await self._nursery.start(self._stay, octets)

    async def _stay(self, octets: bytes, task_status: trio.TaskStatus[None]) -> None:
        async with self._scene.attacker() as raw:
            await raw.say(octets)
            self.here += 1
            task_status.started()
            try:
                async for _ in raw.stream:
                    pass
            except trio.BrokenResourceError:
                pass
            self.here -= 1


def failures(scene: Scene) -> Counter[str]:
    """How often each reason was given for dropping somebody, until now."""
    reasons: Counter[str] = Counter()
    while True:
        try:
            event = scene.monitor.receive_nowait()
        except trio.WouldBlock:
            return reasons
        if isinstance(event, triomq.HandshakeFailed):
            reasons[str(event.error)] += 1


async def test_twelve_hundred_silent_connections() -> None:
    """A thousand may be in the handshake; more are closed at once, and those who are established are served."""
    async with attacked("ROUTER", backlog=2000) as scene, trio.open_nursery() as nursery:
        crowd = Crowd(scene, nursery)
        await crowd.come(1200)
        await until(lambda: crowd.here == 1000)
        assert failures(scene) == {"max_handshakes=1000 reached: connection closed": 200}
        await scene.serve_more(20)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("octets", [b"", GREETING], ids=["silent", "greeted"])
async def test_a_crowd_keeps_nobody_out(octets: bytes, virtual_network: VirtualNetwork) -> None:
    """While the handshakes are all taken a newcomer gets in at once; the crowd leaves with its deadline."""
    async with (
        attacked("ROUTER", virtual_network, pause=0.25, max_handshakes=20) as scene,
        trio.open_nursery() as nursery,
    ):
        crowd = Crowd(scene, nursery)
        await crowd.come(60, octets)
        await until(lambda: crowd.here == 20)
        late = scene.newcomer(reconnect_interval_max=1.0)
        await late.send(b"let me in")
        with trio.fail_after(0.1):
            await scene.victim.wait_peers(2)
        assert crowd.here >= 19
        await trio.sleep(31)  # virtual seconds: the longest deadline, and what an end takes to arrive
        assert crowd.here == 0
        reasons = failures(scene)
        assert reasons["max_handshakes=20 reached: connection closed"] >= 40
        limit = "handshake_timeout=30.0" if octets else "greeting_timeout=10.0"
        assert sum(count for reason, count in reasons.items() if limit in reason) == 19
        await until(lambda: bool(scene.strange))
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("octets", [b"", GREETING[:1], GREETING], ids=["silent", "begun", "greeted"])
async def test_a_crowd_that_comes_again_keeps_nobody_out(octets: bytes, virtual_network: VirtualNetwork) -> None:
    """Whoever is thrown out comes back at once, for ever; ten newcomers are served, one after the other."""
    async with (
        attacked("ROUTER", virtual_network, pause=0.25, max_handshakes=20) as scene,
        trio.open_nursery() as nursery,
    ):

        async def insist() -> None:
            while True:
                async with scene.attacker() as raw:
                    await raw.say(octets)
                    try:
                        async for _ in raw.stream:
                            pass
                    except trio.BrokenResourceError:
                        pass
                await trio.sleep(0.1)

        for _ in range(60):
            nursery.start_soon(insist)
        await trio.sleep(5)
        newcomers = []
        for number in range(10):
            late = scene.newcomer()
            newcomers.append(late)
            await late.send(b"let me in")
            with trio.fail_after(0.5):
                await scene.victim.wait_peers(2 + number)
        nursery.cancel_scope.cancel()


async def test_who_said_nothing_makes_way_for_a_newcomer_and_not_who_has_begun(virtual_network: VirtualNetwork) -> None:
    """A slow peer on its way through the handshake is not pushed out by those that say nothing."""
    async with (
        attacked("ROUTER", virtual_network, pause=0.25, max_handshakes=20) as scene,
        trio.open_nursery() as nursery,
        scene.attacker() as slow,
    ):
        await slow.say(GREETING)
        await trio.sleep(1)
        await Crowd(scene, nursery).come(200)
        await trio.sleep(1)
        await Crowd(scene, nursery).come(200)
        await slow.say(ready("DEALER", b"slow"))
        with trio.fail_after(1):
            await scene.victim.wait_peers(2)
        nursery.cancel_scope.cancel()


async def test_an_address_with_most_silent_connections_loses_one_first(virtual_network: VirtualNetwork) -> None:
    """Others that are slow to speak, from elsewhere, stay."""
    async with (
        attacked("ROUTER", virtual_network, pause=0.25, max_handshakes=20) as scene,
        trio.open_nursery() as nursery,
        raw_at(scene.endpoint, virtual_network, "slow") as one,
        raw_at(scene.endpoint, virtual_network, "slow") as two,
    ):
        await trio.sleep(1)
        crowd = Crowd(scene, nursery)
        for _ in range(5):
            await crowd.come(40)
            await trio.sleep(1)
        assert crowd.here == 18
        for number, raw in enumerate((one, two)):
            await raw.greet("DEALER", b"slow %d" % number)
        with trio.fail_after(1):
            await scene.victim.wait_peers(3)
        nursery.cancel_scope.cancel()


async def test_max_peers(virtual_network: VirtualNetwork) -> None:
    """It bounds all connections together; one that leaves makes room for another."""
    async with attacked("ROUTER", virtual_network, max_peers=5) as scene, trio.open_nursery() as nursery:
        crowd = Crowd(scene, nursery)
        async with scene.established():
            await crowd.come(20)
            await until(lambda: crowd.here == 3)
            assert failures(scene) == {"max_peers=5 reached: connection closed": 17}
        await until(lambda: len(scene.victim.peers) == 1)
        async with scene.established():
            await scene.serve_more(10)
        nursery.cancel_scope.cancel()


async def test_max_peers_counts_those_who_say_nothing_last(virtual_network: VirtualNetwork) -> None:
    """They make way for a newcomer; who is established, or came before them, stays."""
    async with attacked("ROUTER", virtual_network, max_peers=5) as scene, trio.open_nursery() as nursery:
        await Crowd(scene, nursery).come(20)
        async with scene.established(), scene.established(), scene.established(), scene.established():
            async with scene.attacker() as sixth:
                await sixth.hear_end()
                assert "max_peers=5" in str(await scene.why(sixth))
            assert len(scene.victim.peers) == 5
        nursery.cancel_scope.cancel()


async def test_coming_and_going(virtual_network: VirtualNetwork) -> None:
    """A thousand connections that break off wherever they like leave nothing behind."""
    async with attacked("ROUTER", virtual_network) as scene:
        async with trio.open_nursery() as nursery:

            async def come_and_go(first: int) -> None:
                for number in range(first, 1000, 50):
                    async with scene.attacker() as raw:
                        await raw.say(GREETING[: number % 65])

            for first in range(50):
                nursery.start_soon(come_and_go, first)
        with trio.fail_after(5):
            ended = 0
            while ended < 1000:
                ended += isinstance(await scene.monitor.receive(), triomq.HandshakeFailed)
        assert len(scene.victim.peers) == 1


async def test_no_descriptors_left() -> None:
    """Out of file descriptors the sockets go on serving, do not spin, and accept and dial again afterwards."""
    environment = {**os.environ, "PYTHONPATH": str(Path(triomq.__file__).parents[1])}
    with trio.fail_after(90):
        done = await trio.run_process(
            [sys.executable, "-W", "error", str(EXHAUSTED)],
            env=environment, capture_stdout=True, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    *told, last = done.stdout.decode().splitlines()
    assert last == "well"
    assert told
    for line in told:  # of the log
        assert re.match(r"PULL tcp://127\.0\.0\.1:\d+: accepting is paused for 0\.1 s: .*[Tt]oo many open files", line)
